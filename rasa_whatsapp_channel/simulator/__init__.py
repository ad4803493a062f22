"""
WhatsApp simulator: the APIs as a bot calls them, and users played by a page or by tests.

The path of a message:

    bot ─▶ api/ ─▶ outgoing ─▶ world ─▶ feed ─▶ page, tests
                   (api/ validates and answers, outgoing delivers and fails, world holds the state)
    bot ◀─ webhooks/ ◀─ incoming ◀─ control/ ◀─ page, tests

    config                  settings, and the credentials.yml block that matches them
    server                  the web application and the process
    problems                every way a request is refused
    clock, sending_limits   time, rate limits and the 24-hour window
    faults, weather         injected faults: by rule, or at random from a seed
    templates               message templates; template_filling: what they show
    snapshots               the whole state as JSON, and back
    state_file              keeps it in a SQLite file
    bot                     the bot's health and Rasa's tracker
    media_checks            which files are accepted
    media_library           where files are stored, and how links are loaded
    load_test               many users at once
"""
