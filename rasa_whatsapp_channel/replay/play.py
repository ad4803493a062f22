"""A transcript, played at a simulator → what came, beside what was expected."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rasa_whatsapp_channel.replay.chat import Chat
from rasa_whatsapp_channel.replay.desk import Desk
from rasa_whatsapp_channel.replay.played import Did, Played
from rasa_whatsapp_channel.transcript.expect import Pair, align
from rasa_whatsapp_channel.transcript.steps import Advance, Does, Expects, Silence, Transcript
from rasa_whatsapp_channel.transcript.words import Words, words_of
from rasa_whatsapp_channel.whatsapp.errors import TranscriptError


async def play(
    transcript: Transcript, chat: Chat, desk: Desk, *, within: float = 10.0, settle: float = 1.0
) -> Played:
    """
    Play *transcript* in *chat*.

    Each message may take *within* seconds. Behind the last expected one nothing more may come: the
    bot is given time until it rests, or *settle* seconds where it does not say whether it does.
    """
    played = Played(transcript.name)
    for kind, steps in groupby(transcript.steps, type):
        if kind is Expects:
            expected = [step.words for step in steps if isinstance(step, Expects)]
            played.lines += await _listen(chat, expected, within=within, settle=settle)
            continue
        for step in steps:
            did = await _do(step, chat, desk)
            played.lines += did
            if played.broken:
                return played
    return played


async def _listen(
    chat: Chat, expected: list[Mapping[str, Any]], *, within: float, settle: float
) -> list[Pair]:
    got: list[Words] = []
    while len(got) < len(expected):
        message = await chat.next(within)
        if message is None:
            break
        got.append(words_of(message))
    while (message := await chat.nothing(settle)) is not None:
        got.append(words_of(message))
    return align(expected, got)


async def _do(step: object, chat: Chat, desk: Desk) -> list[Did | Pair]:
    if isinstance(step, Advance):
        await desk.advance(step.seconds)
        return [Did("clock", {"text": f"+{step.seconds:g} s"})]
    if isinstance(step, Silence):
        return await _be_silent(step, chat)
    if not isinstance(step, Does):
        raise TypeError(step)
    try:
        await chat.does(step.words)
    except TranscriptError as error:
        return [Did("user", step.words, problem=str(error))]
    return [Did("user", step.words)]


async def _be_silent(step: Silence, chat: Chat) -> list[Did | Pair]:
    message = await chat.next(step.seconds)
    if message is None:
        return [Did("silence", {"text": f"{step.seconds:g} s"})]
    return [Pair(None, words_of(message))]
