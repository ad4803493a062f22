"""
What `rasa-whatsapp init` adds to a bot: texts of files → their new texts, nothing taken away.

    plan    which files change, and how
    insert  a text of YAML with more in it, every other letter as it was
    texts   the block of each API, the example of its .env, the responses to copy
"""
