"""
Conversation memory: what is remembered of a person between two messages, for both directions.

    person              who a conversation is with, under which ids
    identity            all ids of one person → one conversation
    window              when a person wrote last, and what may be sent now
    consent             who wants no marketing messages
    payloads            the commands on buttons that were sent
    numbered_replies    the numbers that were offered instead of buttons
    owner               who answers: the bot, a person, another app; what changes it
    handoffs            their store, and what was said while a person answered
    silence             conversations that Rasa has paused or terminated
    restarts            trackers of conversations that Rasa had terminated
    debounce            the latest messages, and which of them became one turn
    message_notes       keys of queue items, and what a later status needs of one
    erasure             deletes all that is stored of one person
    errors              a turn cannot run now, or was cancelled

Each fact is a class with its key, type and lifetime. A key or its value names the person,
so `Store.erase` finds it; `consent` keeps an opt-out without the name.
"""
