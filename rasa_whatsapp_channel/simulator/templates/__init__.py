"""
Templates: those that somebody has had approved.

    catalog     which there are, and whether they may be sent
    filling     what comes of one with the values of a message
"""
