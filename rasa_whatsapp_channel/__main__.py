"""Entry point of ``python -m rasa_whatsapp_channel``, the command line ``rasa-whatsapp``."""

from rasa_whatsapp_channel.cli import main

main(prog_name="rasa-whatsapp")
