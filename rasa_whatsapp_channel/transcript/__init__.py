"""
A conversation as people read it: what a person does, and what the bot shall answer.

    words    a message of the simulator → what a person sees of it
    expect   what a bot's message shall be, and in what it differs
    steps    the YAML of a transcript → its steps, and back
    record   a chat → the transcript that repeats it

No I/O here: `replay` plays a transcript, `testing` has the same words for Python.
"""
