"""Transcript player: plays the steps of a transcript in a chat, and compares the answers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rasa_whatsapp_channel.replay.budget import Budget, count_billed
from rasa_whatsapp_channel.replay.chat import Chat
from rasa_whatsapp_channel.replay.report import Result, StepResult
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.transcript.expect import Pair, align
from rasa_whatsapp_channel.transcript.steps import (
    Advance,
    Does,
    Expects,
    Silence,
    Transcript,
    TranscriptError,
)
from rasa_whatsapp_channel.transcript.words import Words, words_of


async def play(
    transcript: Transcript,
    chat: Chat,
    client: SimulatorClient,
    *,
    within: float = 10.0,
    settle: float = 1.0,
    budget: Budget | None = None,
) -> Result:
    """
    Play *transcript* in *chat*. Its own budget goes before *budget*.

    Each message may take *within* seconds. No message may follow the last expected one: the
    bot gets time until it is idle, or *settle* seconds where it does not tell whether it is.
    """
    result = Result(transcript.name)
    for kind, steps in groupby(transcript.steps, type):
        if kind is Expects:
            expected = [step.words for step in steps if isinstance(step, Expects)]
            result.lines += await _listen(chat, expected, within=within, settle=settle)
            continue
        for step in steps:
            result.lines += await _do(step, chat, client)
            if result.broken:
                break
        if result.broken:
            break
    messages = await chat.conversation()
    budget = budget or Budget()
    budget = Budget(
        budget.conversation if transcript.budget is None else transcript.budget,
        budget.turn if transcript.turn_budget is None else transcript.turn_budget,
    )
    result.billed = count_billed(messages)
    result.overruns = budget.overruns(messages)
    return result


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


async def _do(step: object, chat: Chat, client: SimulatorClient) -> list[StepResult | Pair]:
    if isinstance(step, Advance):
        await client.advance(step.seconds)
        return [StepResult("clock", {"text": f"+{step.seconds:g} s"})]
    if isinstance(step, Silence):
        return await _be_silent(step, chat)
    if not isinstance(step, Does):
        raise TypeError(step)
    try:
        await chat.does(step.words)
    except TranscriptError as error:
        return [StepResult("user", step.words, problem=str(error))]
    return [StepResult("user", step.words)]


async def _be_silent(step: Silence, chat: Chat) -> list[StepResult | Pair]:
    message = await chat.next(step.seconds)
    if message is None:
        return [StepResult("silence", {"text": f"{step.seconds:g} s"})]
    return [Pair(None, words_of(message))]
