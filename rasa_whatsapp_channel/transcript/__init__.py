"""
Transcripts: what a person does in a conversation, and what the bot is expected to answer.

    words    a message of the simulator → what a person sees of it
    expect   what a bot's message shall be, and in what it differs
    steps    the YAML of a transcript → its steps, and back; a chat → the transcript that repeats it

No I/O here: `replay` plays a transcript, `testing` has the same words for Python.
"""
