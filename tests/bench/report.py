"""The rows as a table for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from bench.bench import BUSY
from bench.goals import Failure, Kind, Row
from bench.profile import Profile
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Found = Mapping[str, Sequence[Row | Failure]]
Before = Mapping[tuple[str, str], str]  # what and beside what → ratio, in words
# Marks in a page of Markdown, between which a table belongs.
FIGURES = "<!-- figures -->", "<!-- end of figures -->"
PROFILES = "<!-- profiles -->", "<!-- end of profiles -->"
RATIO = 3  # its place among the cells, behind "what"
COLORS = {"reached": "green", "missed": "red"}


def print_table(
    console: Console,
    found: Found,
    busiest: Mapping[str, float],
    *,
    took: float,
    quick: bool,
    before: Before | None = None,
) -> None:
    """*before* adds a column with the ratios of an earlier run, see `read_before`."""
    table = Table(box=box.SIMPLE_HEAD, title="Quick figures" if quick else None)
    then = ("before",) if before is not None else ()
    for head in ("what", "figure", "beside", "its figure", *then, "ratio", "goal", ""):
        right = head in ("figure", "its figure", "before", "ratio", "goal")
        table.add_column(head, justify="right" if right else "left", no_wrap=right)
    for section, rows in found.items():
        table.add_row(section, style="bold")
        for row in rows:
            if isinstance(row, Failure):
                table.add_row(f"  {row.what}", "", escape(row.reason), style="red")
                continue
            what, *cells, verdict = _cells(row)
            if before is not None:
                cells.insert(RATIO, before.get((row.what, row.beside), ""))
            note = f"\n  [dim]{escape(row.note)}[/]" if row.note else ""
            color = COLORS.get(verdict)
            shown = f"[{color}]{verdict}[/]" if color else ""
            table.add_row(f"  {escape(what)}{note}", *map(escape, cells), shown)
        table.add_section()
    console.print(table)
    for line in _footer(found, busiest, took):
        console.print(line, soft_wrap=True, highlight=False)


def to_markdown(found: Found, busiest: Mapping[str, float], *, took: float, quick: bool) -> str:
    lines = [
        "| what | figure | beside | its figure | ratio | goal | |",
        "|---|---:|---|---:|---:|---:|---|",
    ]
    for section, rows in found.items():
        lines.append(f"| **{section}** | | | | | | |")
        for row in rows:
            if isinstance(row, Failure):
                cells: tuple[str, ...] = (row.what, *[""] * 5, f"not measured: {row.reason}")
            else:
                what, *others = _cells(row)
                cells = (f"{what} ({row.note})" if row.note else what, *others)
            lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *(line + "  " for line in _footer(found, busiest, took))]
    return "\n".join(lines) + "\n"


def print_profiles(console: Console, profiles: Sequence[Profile]) -> None:
    """Print where the time of one turn goes, in ms; a column for each of *profiles*."""
    head, *rows = _profile_cells(profiles)
    table = Table(*head, box=box.SIMPLE_HEAD, title="Where the processor time of one turn goes, ms")
    for column in table.columns[1:]:
        column.justify = "right"
    for row in rows:
        table.add_row(*row)
    console.print(table)


def profiles_to_markdown(profiles: Sequence[Profile]) -> str:
    head, *rows = (f"| {' | '.join(cells)} |" for cells in _profile_cells(profiles))
    return "\n".join([head, "|---|" + "---:|" * len(profiles), *rows]) + "\n"


def _profile_cells(profiles: Sequence[Profile]) -> list[tuple[str, ...]]:
    """Return a head, a row for each area, and one for all of it."""
    costs = [
        {area: share * profile.cost for area, share in profile.shares.items()}
        for profile in profiles
    ]
    areas = {area: max(cost.get(area, 0.0) for cost in costs) for cost in costs for area in cost}
    rows = (
        (area, *(_number(cost[area]) if area in cost else "" for cost in costs))
        for area in sorted(areas, key=lambda area: -areas[area])
    )
    return [
        ("ms", *(profile.what for profile in profiles)),
        *rows,
        ("all", *(_number(profile.cost) for profile in profiles)),
    ]


def place(table: str, page: str, marks: tuple[str, str] = FIGURES) -> str:
    """
    Return *page* with *table* between its two *marks*. An empty page becomes the table.

    Raises `ValueError` for a page without the marks: it would be lost.
    """
    if not page:
        return table
    before, begin, rest = page.partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not (begin and end):
        raise ValueError(f"it has no place for a table: the lines {' and '.join(marks)}")
    return f"{before}{begin}\n{table}{end}{after}"


def to_json(found: Found, busiest: Mapping[str, float], *, quick: bool) -> str:
    """Return all that was found, for other programs and for a comparison later."""
    rows = [_as_dict(section, row) for section, rows in found.items() for row in rows]
    content = {"machine": machine(), "quick": quick, "load_busy": dict(busiest), "rows": rows}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_before(text: str) -> Before:
    """Return the ratios of an earlier run from what `to_json` made of it. Raises `ValueError`."""
    try:
        rows = json.loads(text)["rows"]
        return {(row["what"], row["beside"]): row["compared"] for row in rows if "compared" in row}
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError("it was not written by --json") from error


def machine() -> str:
    cores = os.cpu_count()
    return f"{cores} cores, {platform.system()}, Python {platform.python_version()}"


def _as_dict(section: str, row: Row | Failure) -> dict[str, Any]:
    if isinstance(row, Failure):
        return {"section": section, "what": row.what, "failed": row.reason}
    goal = {"kind": row.goal.kind.value, "limit": row.goal.limit} if row.goal else None
    return {
        "section": section,
        "what": row.what,
        "figure": row.figure,
        "beside": row.beside,
        "reference": row.reference,
        "unit": row.unit,
        "ratio": row.ratio,
        "compared": _compared(row),
        "goal": goal,
        "verdict": row.verdict,
        "note": row.note,
    }


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        f"{_number(row.figure)} {row.unit}",
        row.beside,
        f"{_number(row.reference)} {row.unit}",
        _compared(row),
        _goal(row),
        row.verdict,
    )


def _compared(row: Row) -> str:
    if row.goal is not None and row.goal.kind is Kind.ADDED:
        return f"{row.figure - row.reference:+.3g}"
    return f"{row.ratio:.2f}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return ""
    kind, limit = row.goal.kind, f"{row.goal.limit:g}"
    if kind is Kind.ADDED:
        return f"{kind.value}{limit}"
    return f"{kind.value} {limit} {row.unit}" if kind is Kind.LIMIT else f"{kind.value} {limit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _footer(found: Found, busiest: Mapping[str, float], took: float) -> list[str]:
    rows = [row for rows in found.values() for row in rows]
    reached = sum(not isinstance(row, Failure) and row.verdict == "reached" for row in rows)
    goals = sum(isinstance(row, Failure) or row.goal is not None for row in rows)
    lines = [f"{reached} of {goals} goals reached; {machine()}; {took:.0f} seconds"]
    if busiest:
        what = max(busiest, key=lambda each: busiest[each])
        share = busiest[what]
        verdict = (
            "it was not the limit"
            if share < BUSY
            else "it MAY HAVE BEEN THE LIMIT: do not trust that row"
        )
        lines.append(
            f"The load and the mock API took at most {share:.0%} of one processor "
            f"(at {what}): {verdict}."
        )
    return lines
