"""
Rate card: Meta's CSV of rates in one currency, as it is downloaded.

https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing#rates
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.whatsapp.markets import markets_of

# The column of each category; cards before October 2026 have no rate for replies, which then cost
# as much as utility templates.
_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "service": ("service", "utility"),
    "utility": ("utility",),
    "marketing": ("marketing",),
    "marketing_lite": ("marketing",),
    "authentication": ("authentication",),
    "authentication_international": ("authenticationinternational", "authentication"),
}
_NEEDED: Final = ("currency", "utility")
_NO_RATE: Final = ("", "n/a", "-")
_SHOWN: Final = 40
_MOST: Final = 1_000_000  # of any currency for one message
_GIVE: Final = "give Meta's CSV of rates as it was downloaded, not as a spreadsheet saved it again"
_DOLLARS: Final = "US"  # of "$US"


class RateCardError(ChannelError):
    """The file is no rate card; the text says where."""


@dataclass(frozen=True)
class RateCard:
    """*rates* by market and column."""

    currency: str
    rates: Mapping[str, Mapping[str, Decimal]]

    def rate(self, country: str, category: str) -> Decimal | None:
        """Return the rate of a calling code; None where the card has none."""
        market = next((each for each in markets_of(country) if each in self.rates), None)
        found = self.rates.get(market or "", {})
        columns = _COLUMNS.get(category.removeprefix("group_"), ())
        return next((found[column] for column in columns if column in found), None)


def read_rate_card(content: bytes, currency: str | None = None) -> RateCard:
    """Read a card; *currency* chooses the rows of a file with several. Raises `RateCardError`."""
    try:
        return _read(csv.reader(io.StringIO(content.decode("utf-8-sig"))), currency)
    except (UnicodeDecodeError, csv.Error) as error:
        raise RateCardError(f"it is no CSV ({error}); {_GIVE}") from error


def _read(rows: Iterator[list[str]], currency: str | None) -> RateCard:
    columns = next(filter(_is_head, map(_names, rows)), None)
    if columns is None:
        raise RateCardError(f"it has no line that begins with Market and a comma; {_GIVE}")
    if missing := [name for name in _NEEDED if name not in columns]:
        raise RateCardError(f"it has no column {missing[0].capitalize()}; {_GIVE}")
    rates: dict[str, dict[str, dict[str, Decimal]]] = {}
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row), strict=False))
        # Meta's page and its files write "Rest of Central and Eastern Europe" both ways.
        market = " ".join(cells.pop("market", "").split()).replace(" and ", " & ")
        if market:
            of = _currency(cells.pop("currency", ""))
            rates.setdefault(of, {})[market] = dict(_rates(cells, market))
    found = currency or next(iter(rates), "")
    if found not in rates:
        raise RateCardError(f"it has no rates in {found}" if found else "it has no rates")
    if currency is None and len(rates) > 1:
        raise RateCardError(f"it has rates in {', '.join(rates)}; choose one with `currency`")
    return RateCard(found, rates[found])


def _names(row: Sequence[str]) -> list[str]:
    """Return the cells of a head, which may be broken into lines, as plain letters."""
    return [re.sub("[^a-z]", "", cell.lower()) for cell in row]


def _is_head(names: Sequence[str]) -> bool:
    return names[:1] == ["market"]


def _currency(cell: str) -> str:
    letters = re.sub("[^A-Z]", "", cell.upper())
    return "USD" if letters == _DOLLARS else letters


def _rates(cells: Mapping[str, str], market: str) -> Iterator[tuple[str, Decimal]]:
    for column, cell in cells.items():
        if not column or cell.lower() in _NO_RATE:
            continue
        try:
            rate = Decimal(cell)
        except InvalidOperation:
            rate = Decimal("NaN")
        if not rate.is_finite() or not 0 <= rate < _MOST:
            raise RateCardError(
                f"{market}: {cell[:_SHOWN]!r} in the column {column} is no rate; {_GIVE}"
            )
        yield column, rate
