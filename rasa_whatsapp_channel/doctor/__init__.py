"""
Doctor: what is wrong with a bot's set-up, and how to fix it. Facts are collected, then checked.

    collect         files, packages, store → facts
    collect_remote  WhatsApp's API and the webhook, called → facts
    checks          facts → results, one module per area; no I/O
    run             all checks in order
    results         the result of a check, and how results are printed

Rasa is not imported here; a child process tries whether it can load the channel.
"""
