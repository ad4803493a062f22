"""
``rasa-whatsapp simulate --load``: many people at once.

    crowd    who writes when, and who waits for what
    tally    what came of it
"""
