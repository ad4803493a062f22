"""
What the bot is told.

    envelopes     events → bodies
    signing       bodies → signed bytes
    delivery      bytes → the bot, again and again until it takes them
"""
