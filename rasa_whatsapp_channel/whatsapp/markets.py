"""
Markets: which rate of WhatsApp's rate card holds for a recipient, by their calling code.

A country with a market of its own is on the card by its name, the others in a region. Older cards
have fewer markets, so a country has both where it came from a region.

The regions, and the countries that never were in one, are those of the table "Country calling
codes" on Meta's page of prices; `tests/samples/markets.csv` is that table. The countries that left
a region are named under "Updates to rate cards" there, up to those of October 2026.
https://developers.facebook.com/documentation/business-messaging/whatsapp/pricing#country-calling-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

OTHER: Final = "Other"

# Countries as ISO code and calling code. Kazakhstan and parts of the Caribbean share the code of a
# larger country and are told by the digits after it.
_OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{"AE971": "United Arab Emirates", "AR54": "Argentina", "BD880": "Bangladesh"},
        **{"BR55": "Brazil", "CL56": "Chile", "CO57": "Colombia", "DE49": "Germany"},
        **{"EG20": "Egypt", "ES34": "Spain", "FR33": "France", "GB44": "United Kingdom"},
        **{"HK852": "Hong Kong", "HU36": "Hungary", "ID62": "Indonesia", "IL972": "Israel"},
        **{"IN91": "India", "IQ964": "Iraq", "IT39": "Italy", "KW965": "Kuwait"},
        **{"KZ76": "Kazakhstan", "KZ77": "Kazakhstan", "LK94": "Sri Lanka", "MA212": "Morocco"},
        **{"MX52": "Mexico", "MY60": "Malaysia", "NG234": "Nigeria", "NL31": "Netherlands"},
        **{"NP977": "Nepal", "OM968": "Oman", "PE51": "Peru", "PK92": "Pakistan"},
        **{"PL48": "Poland", "QA974": "Qatar", "RO40": "Romania", "RU7": "Russia"},
        **{"SA966": "Saudi Arabia", "SG65": "Singapore", "TR90": "Turkey", "UA380": "Ukraine"},
        **{"US1": "North America", "CA1": "North America", "ZA27": "South Africa"},
    }
)
_REGIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Rest of Africa": "AO244 BF226 BI257 BJ229 BW267 CG242 CI225 CM237 DZ213 ER291 ET251 GA241 "
        "GH233 GM220 GW245 KE254 LR231 LS266 LY218 MA212 MG261 ML223 MR222 MW265 MZ258 NA264 NE227 "
        "RW250 SD249 SL232 SN221 SO252 SS211 SZ268 TD235 TG228 TN216 TZ255 UG256 ZM260 ZW263",
        "Rest of Asia Pacific": "AF93 AU61 BD880 CN86 HK852 JP81 KH855 LA856 LK94 MN976 NP977 NZ64 "
        "PG675 PH63 SG65 TH66 TJ992 TM993 TW886 UZ998 VN84",
        "Rest of Central & Eastern Europe": "AL355 AM374 AZ994 BG359 BY375 CZ420 GE995 GR30 HR385 "
        "HU36 LT370 LV371 MD373 MK389 PL48 RO40 RS381 SI386 SK421 UA380",
        "Rest of Latin America": "BO591 CR506 DO1809 DO1829 DO1849 EC593 GT502 HN504 HT509 JM1658 "
        "JM1876 NI505 PA507 PR1787 PR1939 PY595 SV503 UY598 VE58",
        "Rest of Middle East": "BH973 IQ964 JO962 KW965 LB961 OM968 QA974 YE967",
        "Rest of Western Europe": "AT43 BE32 CH41 DK45 FI358 IE353 NO47 PT351 SE46",
    }
)
_ISO: Final = 2  # letters
_REGION_OF: Final = {
    country: region for region, countries in _REGIONS.items() for country in countries.split()
}
_ALL: Final = (*_OWN, *_REGION_OF)
# The first of a country is where those of its user ids count.
_CODE_OF_ISO: Final = {country[:_ISO]: country[_ISO:] for country in reversed(_ALL)}
_OWN_OF_CODE: Final = {country[_ISO:]: market for country, market in _OWN.items()}
_REGION_OF_CODE: Final = {country[_ISO:]: region for country, region in _REGION_OF.items()}
#: The calling codes that WhatsApp has a market for.
CALLING_CODES: Final = frozenset(country[_ISO:] for country in _ALL)
_LONGEST: Final = max(map(len, CALLING_CODES))


def calling_code(phone: str | None, user_id: str | None = None) -> str:
    """Return the code of *phone*, else of the country in *user_id*; empty where it is not known."""
    if phone and phone.isdecimal():
        starts = (phone[:length] for length in range(_LONGEST, 0, -1))
        return next((start for start in starts if start in CALLING_CODES), "")
    return _CODE_OF_ISO.get((user_id or "")[:_ISO], "")


def markets_of(code: str) -> tuple[str, ...]:
    """Return the markets of a calling code, as they stand on a card; the first that does counts."""
    found = (_OWN_OF_CODE.get(code), _REGION_OF_CODE.get(code), OTHER)
    return tuple(market for market in found if market)
