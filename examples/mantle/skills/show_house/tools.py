"""What the skill sends beside its responses."""

from __future__ import annotations

from rasa.mantle.tools.decorator import ToolContext, tool
from rasa.mantle.tools.result import ToolResult

from rasa_whatsapp_channel import send


@tool(description="Send the sound of the bell at the house's door.")
async def ring_the_bell(context: ToolContext = None) -> ToolResult:
    await send(voice="media/chime.ogg")
    return ToolResult(llm_response={"sent": "the sound of the bell"})
