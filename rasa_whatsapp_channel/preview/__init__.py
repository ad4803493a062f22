"""
What a response becomes, without sending it: the bodies of the requests, and a drawing of the chat.

    bodies   messages → the bodies each API gets
    draw     a message → lines for a terminal
    cells    how wide texts are there
"""
