"""
Playing conversations against a bot, through the simulator.

    host    a simulator in this process, and a bot's Rasa as a process beside it
    desk    what can be done at a simulator over HTTP
    chat    one person's chat: doing what a person does, waiting for what the bot says
    play    a transcript → what came beside what was expected, as `played` holds it
    report  that, for people
"""
