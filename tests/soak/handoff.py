"""
A person takes conversations over at every point of a turn, in bad weather, and gives them back.

The judge is in `episodes`. A take-over is an echo of the WhatsApp Business app at one of the
servers, or what `rasa-whatsapp handoff` does in a process of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from soak.episodes import FAREWELL, EpisodesVerdict, Handed, Kept, judge
from soak.run import SERVERS, processes
from support.cloud_api import (
    PICTURE,
    PICTURE_SHA256,
    Asked,
    CloudApi,
    Trouble,
    cloud_api,
    fails,
)
from support.commit_kills import MARK
from support.crowd import Crowd, Written, webhook_of
from support.every_commit import AT_ONCE, TOGETHER, Point, apart
from support.numbered import answers_of
from support.phones import Habits, Phones
from support.redis_server import RedisServer
from support.stubs import DEFAULTS, SECRET, Forge, Stubs, stub_servers
from support.verdict import Kill
from support.weather import Weather
from support.webhooks import echo

from rasa_whatsapp_channel.conversation.handoffs import Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import OUTSIDE

BOT = "handed"
POINTS = ("before", "behind", "thinking", "between", "refused", "uploading", "accepted", "after")
HABITS = Habits(early=0.1, twice=0.1, disorder=0.1, text=(0.1, 0.3), file=(0.3, 0.8))
COMMITS = 180  # more than a conversation has
PATIENCE = 120.0  # seconds for one point of a turn, or for the last answer
TICK = 1.1  # seconds; WhatsApp writes whole ones
QUIET = 3.0  # seconds in which a surplus message would come
LOOK = 0.02  # seconds between two looks into the journal


@dataclass(frozen=True)
class Plan:
    seed: int
    store: str  # sqlite, redis
    servers: int = 1
    conversations: int = 200
    seconds: float = 60.0  # in which they begin
    kills: int = 0
    combine: str = "off"
    apart: bool = False  # each server is two processes: door and sender, and the bot
    dies_at: Point | None = None  # the commit of its store at which the only server is killed
    first: int = 0  # of its people, who meets the first of `POINTS`

    @property
    def people(self) -> range:
        return range(self.first, self.first + self.conversations)

    def __str__(self) -> str:
        kills = f", {self.kills} kills" if self.kills else ""
        kills += ", combined" if self.combine == "turn" else ""
        kills += ", apart" if self.apart else ""
        if self.dies_at:
            return f"{self.store}, killed {self.dies_at}, at {POINTS[self.first % len(POINTS)]}"
        return f"{self.store}, {self.servers} × server, take-overs by seed {self.seed}{kills}"


@dataclass(frozen=True)
class Result:
    plan: Plan
    verdict: EpisodesVerdict
    met: Counter[str]  # troubles
    points: Counter[str]  # take-overs, by point
    dead: Sequence[str]
    took: float

    @property
    def faults(self) -> list[str]:
        return [*self.verdict.faults, *(f"dead letter: {each}" for each in self.dead)]

    def __str__(self) -> str:
        dead = f", {len(self.dead)} dead letters" if self.dead else ""
        return f"{self.plan}: {self.verdict}{dead}; {self.met.total()} troubles, {self.took:.0f} s"


async def run(plan: Plan, folder: Path, forge: Forge) -> Result:
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        api = Api()
        await stack.enter_async_context(cloud_api(api))
        weather = Weather(api, seed=plan.seed)
        api.weather = lambda asked: api.refuses(asked) or weather(asked)
        store = _store(plan, folder, stack)
        people = plan.people
        stubs = await stack.enter_async_context(
            stub_servers(
                folder,
                api,
                forge=forge,
                bot=BOT,
                **DEFAULTS,
                store=store,
                combine=plan.combine,
                combine_wait=0.5 if plan.combine == "turn" else None,
                handoff={
                    "return_words": [Written(user, 6).text for user in people],
                    "text_return": FAREWELL,
                },
            )
        )
        (folder / "media").mkdir()
        for user in people:
            (folder / "media" / f"u{user}.jpg").write_bytes(_own_picture(user))
        scene = await stack.enter_async_context(_Scene.of(plan, stubs, api, store))
        await scene.lives()
        dead = await stubs.dead_letters()
        return Result(
            plan=plan,
            verdict=await scene.verdict(),
            met=weather.met,
            points=scene.points,
            dead=[f"{entry['key']}: {entry['why']}" for entry in dead],
            took=time.monotonic() - began,
        )


def deaths(seed: int, count: int | None = None) -> list[Plan]:
    """Return *count* plans whose server dies at a commit, at each point of a turn in turn."""
    commits = [Point(number, when) for number in range(1, COMMITS) for when in ("before", "after")]
    if count is not None:
        commits = random.Random(seed).sample(commits, count)
    return [
        Plan(seed, "sqlite", conversations=1, seconds=0.0, dies_at=commit, first=seed + place)
        for place, commit in enumerate(commits)
    ]


async def die_at_all(plans: Sequence[Plan], folder: Path, forge: Forge) -> list[Result]:
    """Return what became of those of *plans* whose server has died."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def die(plan: Plan) -> Result | None:
        there = folder / str(plan).replace(" ", "-")
        there.mkdir()
        async with turns:
            result = await run(plan, there, forge)
        return result if (there / MARK).exists() else None

    return [result for result in await asyncio.gather(*map(die, plans)) if result]


class Api(CloudApi):
    """Tells what it is asked, refuses once what it is to refuse, and holds uploads."""

    def __init__(self) -> None:
        super().__init__()
        self.met: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.to_refuse: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}  # file name → it may come

    def refuses(self, asked: Asked) -> Trouble | None:
        found = self.to_refuse.intersection(asked.text.split(TOGETHER))
        if not found:
            return None
        self.to_refuse -= found
        self.met[f"refused {found.pop()}"].set()
        return fails(400, 131056, "Pair rate limit hit", Retry_After="2")

    def accept(self, request: web.Request, body: dict[str, Any]) -> dict[str, Any]:
        answer = super().accept(request, body)
        for text in self.accepted[-1].text.split(TOGETHER):
            self.met[f"accepted {text}"].set()
        return answer

    async def _upload(self, request: web.Request) -> web.Response:
        [name] = re.findall(rb'filename="([^"]+)"', await request.read())
        self.met[f"uploading {name.decode()}"].set()
        if held := self.held.get(name.decode()):
            await held.wait()
        self.uploads.append(f"70000{len(self.uploads)}")
        return web.json_response({"id": self.uploads[-1]})


class _Scene:
    """People, colleagues and servers of one run."""

    def __init__(
        self,
        plan: Plan,
        stubs: Stubs,
        api: Api,
        handoffs: Handoffs,
        crowd: Crowd,
        crashes: list[float],
    ) -> None:
        self.points = Counter[str]()
        self._plan = plan
        self._stubs = stubs
        self._api = api
        self._handoffs = handoffs
        self._crowd = crowd
        self._crashes = crashes
        self._random = random.Random(plan.seed)
        self._chats: list[Handed] = []
        self._kills: list[Kill] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, plan: Plan, stubs: Stubs, api: Api, store: str) -> AsyncIterator[_Scene]:
        servers = SERVERS[: plan.servers]
        draw = random.Random(plan.seed)
        crowd = Crowd(lambda: stubs.webhook(draw.choice(servers)), secret=SECRET, random=draw)
        phones = Phones(crowd.deliver, seed=plan.seed, habits=HABITS)

        api.taken = phones.take
        order = {"killed_at": vars(plan.dies_at)} if plan.dies_at else {}
        for name, role in processes(plan.servers, apart=plan.apart).items():
            stubs.launch(name, apart=role, **order)
        crashes: list[float] = []
        keeping = asyncio.create_task(stubs.keep_alive(SERVERS[0], crashes))
        async with open_store(store, retention=OUTSIDE) as opened:
            try:
                handoffs = Handoffs(opened, HandoffSettings())
                yield cls(plan, stubs, api, handoffs, crowd, crashes)
            finally:
                api.taken = None
                keeping.cancel()
                await phones.close()
                await crowd.close()

    async def lives(self) -> None:
        reading = asyncio.create_task(self._read_journal())
        killing = asyncio.create_task(self._kill_now_and_then())
        try:
            await asyncio.gather(*(self._chat(user) for user in self._plan.people))
            await asyncio.sleep(QUIET)
        finally:
            for task in (reading, killing):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def verdict(self) -> EpisodesVerdict:
        episodes = {chat.phone: await self._episode(chat.phone) for chat in self._chats}
        return judge(
            self._chats,
            episodes,
            apart(self._api.accepted),
            self._stubs.journal.read(),
            [*self._kills, *(Kill(at, SERVERS[0]) for at in self._crashes)],
            answers_to=answers_of(BOT),
        )

    async def _chat(self, user: int) -> None:
        """
        Let somebody write seven messages.

        A colleague comes during the second and answers the fourth; nobody answers the fifth. The
        sixth, of every other person, brings the bot back; the seventh comes after the return.
        """
        point = POINTS[user % len(POINTS)]
        by_app, by_word = user // len(POINTS) % 2 == 0, user // len(POINTS) % 4 >= 2
        says = {number: Written(user, number) for number in range(1, 8)}
        slow = "slow" if point in ("thinking", "between") else ""
        says[2] = Written(user, 2, slow, is_picture=by_app)
        says[4] = Written(user, 4, is_picture=True)
        chat = Handed(says[1].phone, files=[each.text for each in says.values() if each.is_picture])
        self._chats.append(chat)
        await asyncio.sleep(self._random.uniform(0, self._plan.seconds))

        await self._write(says[1], chat.before)
        await self._sees(says[1])
        await self._come_to(point, user, says, chat)
        if by_app:
            await self._colleague_writes(chat, user, 1)
        else:
            await self._handoffs.apply(chat.phone, Owner.HUMAN, by="operator")
        chat.took = time.monotonic()
        self.points[point] += 1
        self._api.held.pop(f"u{user}.jpg", asyncio.Event()).set()
        for number in range(2 if point == "before" else 3, 5):
            if says[number].text not in chat.before:
                await self._write(says[number], chat.meanwhile)
        await asyncio.sleep(TICK)
        await self._colleague_writes(chat, user, 2)
        await asyncio.sleep(TICK)
        await self._write(says[5], chat.meanwhile)
        chat.returned = time.monotonic()
        if by_word:  # which alone is answered
            await self._write(says[6], chat.after)
        else:
            chat.unanswered.append(says[5].text)
            assert await self._handoffs.give_back(chat.phone, by="operator")
        await self._write(says[7], chat.after)
        await self._sees(says[7])

    async def _come_to(self, point: str, user: int, says: dict[int, Written], chat: Handed) -> None:
        """Return when the turn of the second message is at *point*."""
        a, b, *_ = answers_of(BOT)(says[2].text)
        if point == "before":
            return
        if point == "refused":
            self._api.to_refuse.add(a)
        if point == "uploading":
            self._api.held[f"u{user}.jpg"] = asyncio.Event()
        await self._write(says[2], chat.before)
        if point == "behind":
            await self._write(says[3], chat.before)
            return
        await self._met(
            {
                "thinking": f"began {says[2].text}",
                "between": f"accepted {a}",
                "refused": f"refused {a}",
                "uploading": f"uploading u{user}.jpg",
                "accepted": f"accepted {b}",
                "after": f"saved {says[2].text}",
            }[point]
        )
        if point == "after":
            await self._sees(says[2])

    async def _colleague_writes(self, chat: Handed, user: int, number: int) -> None:
        words = f"u{user} h{number}"
        body = echo(chat.phone, f"wamid.h{user}.{number}", words)
        await self._crowd.deliver(json.dumps(body).encode())
        chat.colleague.append(words)

    async def _write(self, written: Written, among: list[str]) -> None:
        await self._crowd.deliver(webhook_of([written]))
        among.append(written.text)

    async def _sees(self, written: Written) -> None:
        for answer in answers_of(BOT)(written.text):
            await self._met(f"accepted {answer}")
        await self._met(f"saved {written.text}")

    async def _met(self, what: str) -> None:
        with suppress(asyncio.TimeoutError):  # the judge says what is missing
            await asyncio.wait_for(self._api.met[what].wait(), PATIENCE)

    async def _read_journal(self) -> None:
        read = 0
        path = self._stubs.folder / "journal.jsonl"
        while True:
            await asyncio.sleep(LOOK)
            if not path.exists():
                continue
            with path.open() as file:
                file.seek(read)
                lines = file.read()
            read += len(lines.encode())
            for line in map(json.loads, lines.splitlines()):
                self._api.met[f"{line['what']} {line['text']}"].set()

    async def _kill_now_and_then(self) -> None:
        for _ in range(self._plan.kills):
            await asyncio.sleep(self._plan.seconds / (self._plan.kills + 1))
            roles = processes(self._plan.servers, apart=self._plan.apart)
            name = self._random.choice(list(roles))
            self._kills.append(Kill(time.monotonic(), name))
            self._stubs.kill(name)
            await asyncio.sleep(self._random.uniform(0, 2))
            self._stubs.launch(name, apart=roles[name])

    async def _episode(self, phone: str) -> list[Kept]:
        episode = (await self._handoffs.of(phone)).episode
        messages = await self._handoffs.messages(phone, episode)
        return [
            Kept(each.speaker, text, _is_whole(each.media))
            for each in messages
            for text in each.text.split(TOGETHER)
        ]


def _is_whole(media: Any) -> bool:
    path = Path(str((media or {}).get("path")))
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == PICTURE_SHA256


def _own_picture(user: int) -> bytes:
    """Return a picture with a comment, so that it is uploaded for this person alone."""
    comment = f"of u{user}".encode()
    marked = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return PICTURE[:2] + marked + PICTURE[2:]


def _store(plan: Plan, folder: Path, stack: AsyncExitStack) -> str:
    if plan.store == "sqlite":
        return f"sqlite:///{folder}/whatsapp.db"
    redis = RedisServer(folder, appendonly="yes")
    redis.start()
    stack.callback(redis.kill)
    return redis.url
