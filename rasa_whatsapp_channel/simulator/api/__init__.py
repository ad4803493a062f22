"""
The APIs as a bot sees them.

    cloud, on_premises    routes and access; v1_settings: the rest of an on-premises client
    account               what Meta tells of token, number and subscription
    endpoint              a request: read, answered, noted
    validate, dialects    what a message may be; asking: addresses, calls and the like
    sending               a valid message: taken, answered, sent on its way
    mishaps               what goes wrong on purpose
    uploads               what a file may be
    answers               the bodies of success and of error
"""
