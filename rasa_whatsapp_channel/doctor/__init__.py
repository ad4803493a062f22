"""
What is wrong with a bot's set-up, and how to mend it: facts → verdicts.

    place         where the bot is, and what is known of this machine
    examine       everything in order

    look          files, environment, packages → facts        ask      WhatsApp's answers → facts
    storage       the store, tried → facts                    probe    the webhook, called → facts

    credentials   facts → verdicts, one module per area; no I/O
    account, webhook, store, bot, versions

    verdict       one check's outcome, and what to do
    report        verdicts → text, JSON

Rasa itself is imported by nobody here; whether it can load the channel is tried in a process apart.
"""
