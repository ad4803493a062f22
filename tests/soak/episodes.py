"""What became of conversations that a person took over and gave back: a judgement of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.cloud_api import Accepted
from support.verdict import Kill, sort_doubles

# Seconds in which WhatsApp may still take the one message whose request was on its way.
MOMENT = 1.0

FAREWELL = "You talk to the robot again."  # the setting `text_return`

AnswersTo = Callable[[str], list[str]]


@dataclass
class Handed:
    """What happened in one conversation; its texts are all different. Times are monotonic."""

    phone: str
    before: list[str] = field(default_factory=list)  # written before the take-over
    meanwhile: list[str] = field(default_factory=list)  # and until the return
    after: list[str] = field(default_factory=list)
    #: those of *meanwhile* that nobody had answered at the return
    unanswered: list[str] = field(default_factory=list)
    colleague: list[str] = field(default_factory=list)
    #: those that came with a file
    files: list[str] = field(default_factory=list)
    took: float = 0.0
    returned: float = 0.0

    @property
    def written(self) -> list[str]:
        return [*self.before, *self.meanwhile, *self.after]


@dataclass(frozen=True)
class Kept:
    """A message as it stands in the episode. *has_file*: the file lies where it says."""

    speaker: str
    text: str
    has_file: bool = False


@dataclass(frozen=True)
class EpisodesVerdict:
    conversations: int
    answers: int
    not_said: int  # answers that stand in an episode instead of on a phone
    on_the_way: int  # messages that WhatsApp had already at the take-over
    faults: list[str]  # what it is, and the words of the message

    def __str__(self) -> str:
        kinds = Counter(fault.partition(":")[0] for fault in self.faults)
        faults = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        return (
            f"{self.conversations} conversations, {self.answers} answers, {self.not_said} of them "
            f"not said; {self.on_the_way} were on their way at a take-over; {faults or 'no fault'}"
        )


def judge(
    conversations: Sequence[Handed],
    episodes: Mapping[str, Sequence[Kept]],
    accepted: Sequence[Accepted],
    journal: Sequence[Mapping[str, Any]],
    kills: Sequence[Kill] = (),
    *,
    answers_to: AnswersTo,
) -> EpisodesVerdict:
    """
    Judge what became of *conversations*; *episodes* are by phone, *accepted* in its order.

    At the end of an episode `FAREWELL` comes.
    """
    answers = [message for message in accepted if message.text != FAREWELL]
    explained, doubled = sort_doubles(answers, kills)
    faults = [f"doubled: {text}" for text in doubled]
    excused = Counter(text for texts in explained.values() for text in texts)
    records = [
        _Record(
            chat,
            episodes[chat.phone],
            [message for message in answers if message.to == chat.phone],
            [line for line in journal if line["sender_id"] == chat.phone],
            answers_to,
        )
        for chat in conversations
    ]
    for record in records:
        faults += record.said(excused)
        faults += record.talked_over()
        faults += record.seen_by_the_colleague()
        faults += record.heard_by_the_bot()
    ends = Counter(message.to for message in accepted if message.text == FAREWELL)
    faults += [
        f"told {ends[chat.phone]} times that it talks to a robot: {chat.phone}"
        for chat in conversations
        if ends[chat.phone] != 1
    ]
    return EpisodesVerdict(
        len(records),
        sum(len(record.answers) for record in records),
        sum(len(set(record.unsaid) - set(record.on_phone)) for record in records),
        sum(len(record.late) for record in records),
        faults,
    )


class _Record:
    """Everything that is known of one conversation."""

    def __init__(
        self,
        chat: Handed,
        episode: Sequence[Kept],
        accepted: Sequence[Accepted],
        journal: Sequence[Mapping[str, Any]],
        answers_to: AnswersTo,
    ) -> None:
        self._chat = chat
        self._episode = episode
        self.on_phone = Counter(message.text for message in accepted)
        self.unsaid = Counter(line.text for line in episode if line.speaker == "bot")
        self._turns = [
            text
            for line in journal
            if line["what"] == "saved"
            for text in line["text"].splitlines()
        ]
        self._over = {
            line["text"] for line in journal if line["what"] == "saved" and line["at"] < chat.took
        }
        kept = [line for line in journal if line["what"] == "kept"]
        self._told = [(line["speaker"], line["text"]) for line in kept if line["speaker"]]
        self._ends = [line["type"] for line in kept].count("handoff")
        self._answers_to = answers_to
        self.answers = [answer for text in self._turns for answer in answers_to(text)]
        old = {
            answer
            for text in (*chat.before, *chat.meanwhile)
            if text not in chat.unanswered
            for answer in answers_to(text)
        }
        self.late = [
            message
            for message in accepted
            if chat.took < message.at and (message.text in old or message.at < chat.returned)
        ]

    def said(self, excused: Counter[str]) -> Iterator[str]:
        """Whatever the bot said is on the phone once, or stands in the episode instead."""
        for answer in dict.fromkeys(self.answers):
            if not self.on_phone[answer] and not self.unsaid[answer]:
                yield f"lost: {answer}"
            if self.on_phone[answer] - excused[answer] + self.unsaid[answer] > 1:
                yield f"both said and not said: {answer}"
        # A turn that died has no end, but maybe an answer.
        known = {answer for text in self._chat.written for answer in self._answers_to(text)}
        yield from (f"strange: {text}" for text in self.on_phone if text not in known)

    def talked_over(self) -> Iterator[str]:
        for place, message in enumerate(self.late):
            if place or message.at > self._chat.took + MOMENT:
                yield f"talked over: {message.text}"

    def seen_by_the_colleague(self) -> Iterator[str]:
        """What was written meanwhile, or before where no turn was over, with its file."""
        seen = Counter(line.text for line in self._episode if line.speaker == "user")
        open_turns = [text for text in self._chat.before if text not in self._over]
        for text in dict.fromkeys([*open_turns, *self._chat.meanwhile, *seen]):
            if seen[text] != 1:
                yield f"seen {seen[text]} times by the colleague: {text}"
        files = {line.text for line in self._episode if line.has_file}
        for text in self._chat.files:
            if text in seen and text not in files:
                yield f"without its file: {text}"

    def heard_by_the_bot(self) -> Iterator[str]:
        """Every message is a turn or told at the return; so are the colleague's, in their order."""
        chat = self._chat
        told = [text for speaker, text in self._told if speaker == "user"]
        for text in chat.written:
            if (times := (self._turns + told).count(text)) != 1:
                yield f"heard {times} times: {text}"
        yield from (f"not answered: {text}" for text in chat.unanswered if text in told)
        said = [text for speaker, text in self._told if speaker == "human"]
        for text in chat.colleague:
            if (times := said.count(text)) != 1:
                yield f"told {times} times: {text}"
        if self._ends != 1:
            yield f"told {self._ends} times: that the episode ended in {chat.phone}"
        for heard in (self._turns, told, said):
            order = [text for text in (*chat.written, *chat.colleague) if text in heard]
            if [text for text in heard if text in order] != order:
                yield f"heard out of order: {', '.join(heard)}"
