"""The commands of ``rasa-whatsapp``, one module each; `command` is what click runs."""
