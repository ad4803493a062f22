"""What the skill sends beside its responses."""

from __future__ import annotations

from rasa.mantle.tools.decorator import ToolContext, tool
from rasa.mantle.tools.result import ToolResult

from rasa_whatsapp_channel import send

FILES = {
    "single": {"image": "media/lake.jpg"},
    "double": {"image": "media/lake.jpg"},
    "boat_house": {"video": "media/boat.mp4"},
}


@tool(description="Show the room that was chosen.")
async def show_room(context: ToolContext = None) -> ToolResult:
    room = context.memory.get("room")
    await send(text="This is what you will see in the morning.", **FILES[room])
    return ToolResult(llm_response={"shown": room})
