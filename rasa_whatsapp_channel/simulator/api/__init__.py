"""
Simulator APIs: the WhatsApp APIs as a bot calls them.

    cloud, on_premises    routes and access control
    account               token, number and subscription
    endpoint              reads a request, answers it in the API's format, logs it
    validate              what a message may contain
    sending               accepts a valid message and dispatches it
    request_faults        injected faults of requests
    uploads               what an uploaded file may be
"""
