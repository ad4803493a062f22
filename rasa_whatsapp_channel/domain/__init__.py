"""
What a bot's author wrote: the domain files, read as Rasa reads them, with the line of every part.

    marked     YAML → plain values, each with its line
    variables  how Rasa fills in what the environment has
    files      which files are a bot's domain, and which folder is the bot's
    read       files → `Domain`: responses, slots, intents
    slots      how Rasa fills slots in

Rasa itself is not needed for any of it.
"""
