"""
A WhatsApp on one's own desk: the APIs as a bot sees them, the people as a page and tests play them.

The way of a message:

    bot ─▶ api/ ─▶ outgoing ─▶ world ─▶ feed ─▶ page, tests
                   (api/ validates and answers, outgoing delivers and fails, world holds the state)
    bot ◀─ webhooks/ ◀─ incoming ◀─ control/ ◀─ page, tests

    config, credentials   what it is started with, and what the bot must be given
    server, console       the application, the process, and what its terminal says
    problems              every way to be refused
    clock, window, rates  time, the 24 hours, and how much may be sent
    faults, weather       what goes wrong on purpose: by a rule, or by itself
    templates/            which there are, and what they look like filled in
    snapshot, kept        everything as JSON, and in a file
    tracker               what Rasa knows of a person
    media/                files: which go as what, where they lie
"""
