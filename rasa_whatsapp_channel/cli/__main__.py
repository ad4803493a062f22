"""Entry point of ``python -m rasa_whatsapp_channel.cli``."""

from rasa_whatsapp_channel.cli import main

main(prog_name="rasa-whatsapp")
