"""
Replay: plays conversations against a bot, through the simulator.

    host              a simulator in this process, and the bot's Rasa as a child process
    simulator_client  the simulator's control API over HTTP
    chat              one person's chat: what they do, and what the bot answers
    play              a transcript → its result
    report            results, and how they are printed
"""
