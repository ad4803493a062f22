"""What Prometheus reads at a bot: scraped, and waited for."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from support.eventually import eventually


class Page:
    """What Prometheus reads: name and labels → value."""

    def __init__(self, content: str) -> None:
        self.content = content
        self.samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(content)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.samples.get((f"whatsapp_{name}", *sorted(labels.items())))


async def scrape(running: Any) -> Page:
    status, content = await running.get("/metrics")
    assert status == 200, content
    return Page(content)


async def scrape_until(running: Any, name: str, value: float, **labels: str) -> Page:
    pages: list[Page] = []

    async def is_so() -> bool:
        pages.append(await scrape(running))
        return pages[-1](name, **labels) == value

    await eventually(is_so, told=lambda: pages[-1].content)
    return pages[-1]
