"""
Domain: a bot's domain files, read as Rasa reads them, with the line of every part.

    project which engine a bot is for, and where its channels are
    marked  YAML → plain values, each with its line
    read    files → `Domain`: responses, slots, intents; which files are a bot's
    turns   which responses stories, rules and flows say one after the other
    slots   how Rasa fills in slots, environment variables and translations

Rasa itself is not imported.
"""
