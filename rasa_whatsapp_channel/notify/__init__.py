"""
Notify: what the bot is asked to send from outside of a conversation.

    notification   one such message as a value, read from a request
    notifications  keeps them: a row in the inbox until they are due, and how far each one came
    timing         when one may go: quiet hours, pauses, failing rates. Decides only
    people         CSV files of people, with what is wrong in them. Decides only
"""
