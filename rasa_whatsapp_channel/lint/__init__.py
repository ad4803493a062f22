"""
What will not fit, told before anybody talks: a bot's domain → findings.

    check      `Linter`: all checks of a domain
    schema     what Rasa refuses
    braces     slots and other braces
    channels   variations for one channel
    fit        what composing changes, and what long slots would change; guess stands in for slots
    media      files and links; insides looks into files, links asks servers
    ignore     the comment that says a finding is meant
    report     findings → text, JSON, GitHub's annotations
    rules      the codes
"""
