"""Clients: one per API, all with the interface `Client`."""

from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, Client, Download, MediaInfo
from rasa_whatsapp_channel.whatsapp.clients.cloud import CloudClient, Dialog360Client
from rasa_whatsapp_channel.whatsapp.clients.on_premises import OnPremisesClient, TurnClient

__all__ = [
    "Accepted",
    "Client",
    "CloudClient",
    "Dialog360Client",
    "Download",
    "MediaInfo",
    "OnPremisesClient",
    "TurnClient",
]
