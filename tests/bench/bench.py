"""What every row is measured with: the mock API, the processes, the rounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.goals import medians
from bench.people import SECRET, Load
from bench.profile import Profile, recording
from bench.servers import Pipelines
from bench.whatsapp import WhatsApp
from support.webhooks import NUMBER

TOKEN: Final = "bench-token"
# How much of a processor the load may take before it may be what limits the measured.
BUSY: Final = 0.8


@dataclass(frozen=True)
class Size:
    """
    How long everything is measured. *latency* is that of WhatsApp's answers, in seconds.

    *waiting* items in a store, *ledger* rows in it, and *numbers* of one bot are what growth is
    measured with.
    """

    quick: bool = False
    latency: float = 0.1
    people: int = 400
    rounds: int = 5
    warm: float = 1.0
    seconds: float = 4.0
    waiting: tuple[int, ...] = (10_000, 100_000)
    ledger: int = 1_000_000
    numbers: int = 1000


QUICK: Final = Size(
    quick=True,
    people=200,
    rounds=2,
    warm=0.3,
    seconds=1.0,
    waiting=(100_000,),
    ledger=0,
    numbers=100,
)
# A start with so much takes seconds until everybody is answered in turn.
LARGE: Final = {"waiting": (1_000_000,), "ledger": 10_000_000, "warm": 5.0, "seconds": 20.0}


@dataclass
class Bench:
    size: Size
    folder: Path
    whatsapp: WhatsApp
    pipelines: Pipelines
    say: Callable[[str], None]
    stacks: Path | None = None  # the folder for sampled stacks, where those are wanted
    others: Pipelines | None = None  # of the checkout that is measured beside, if one is
    profiles: list[Profile] = field(default_factory=list)
    busiest: dict[str, float] = field(default_factory=dict)  # by what was measured

    @property
    def messages_url(self) -> str:
        return f"{self.whatsapp.url}/v26.0/{NUMBER}/messages"

    def credentials(self, store: str, **more: Any) -> dict[str, Any]:
        """
        Return the block of a bot whose limits are not those of a number: the machine decides.

        Without read marks, as nothing else that is measured sends them.
        """
        return {
            "base_url": self.whatsapp.url,
            "phone_number_id": NUMBER,
            "access_token": TOKEN,
            "app_secret": SECRET,
            "verify_token": "bench",
            "store": store,
            "media": {"download": False},
            "mark_read": False,
            "typing_indicator": False,
            "max_messages_per_second": 100_000,
            **more,
        }

    async def alternate(
        self,
        what: str,
        measures: Mapping[str, Callable[[], Awaitable[Mapping[str, float]]]],
        *,
        rounds: int | None = None,
        servers: Mapping[str, int] | None = None,
    ) -> dict[str, dict[str, float]]:
        """
        Measure A B A B, so that what disturbs the machine meets all, and return the medians.

        *servers* are process ids by the same names, or as "name: part" where it takes several: they
        are profiled in further rounds, which do not count, where that is asked for. Then "cost", or
        "cost: part", is among the figures.
        """
        rounds = rounds or self.size.rounds
        found: dict[str, list[dict[str, float]]] = {name: [] for name in measures}
        for number in range(1, rounds + 1):
            for name, measure in measures.items():
                self.say(f"{what}: {name}, round {number} of {rounds}")
                found[name].append(dict(await measure()))
        figures = {name: medians(values) for name, values in found.items()}
        for column, pid in (servers or {}).items():
            name = column.partition(":")[0]
            cost = figures[name][f"cost{column.removeprefix(name)}"]
            await self.profile(f"{what}, {column}", pid, cost, measures[name])
        return figures

    async def profile(
        self, what: str, pid: int, cost: float, work: Callable[[], Awaitable[object]]
    ) -> None:
        """Do *work* once more and profile the process *pid*, where that is asked for."""
        if self.stacks is None:
            return
        self.say(f"{what}: profiled")
        file = self.stacks / f"{what}.txt".replace(" ", "-").replace(",", "").replace(":", "")
        async with recording(pid, file):
            await work()
        self.profiles.append(Profile.read(what, cost, file))

    def note_load(self, what: str, load: Load) -> Load:
        self.busiest[what] = max(load.busy, self.busiest.get(what, 0.0))
        return load
