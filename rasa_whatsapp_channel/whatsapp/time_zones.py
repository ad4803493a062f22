"""
Time zones of phone numbers, by their calling code (ITU-T E.164, zones of the IANA database).

A country with several zones has those of its largest city, its east and its west, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timezone, tzinfo
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rasa_whatsapp_channel.whatsapp.identity import is_user_id
from rasa_whatsapp_channel.whatsapp.markets import calling_code

_ZONES: Final[Mapping[str, str]] = {
    "America": "1787=Puerto_Rico 1809=Santo_Domingo "
    "1829=Santo_Domingo 1849=Santo_Domingo 1876=Jamaica 1868=Port_of_Spain 1658=Jamaica "
    "1939=Puerto_Rico 297=Aruba 299=Nuuk 501=Belize 502=Guatemala 503=El_Salvador "
    "504=Tegucigalpa 505=Managua 506=Costa_Rica 507=Panama 509=Port-au-Prince 51=Lima "
    "52=Mexico_City,Cancun,Tijuana 53=Havana 54=Argentina/Buenos_Aires "
    "55=Sao_Paulo,Noronha,Rio_Branco 56=Santiago,Punta_Arenas 57=Bogota 58=Caracas 590=Guadeloupe "
    "591=La_Paz 592=Guyana 593=Guayaquil 594=Cayenne 595=Asuncion 596=Martinique 597=Paramaribo "
    "598=Montevideo 599=Curacao",
    "Africa": "20=Cairo 211=Juba 212=Casablanca 213=Algiers 216=Tunis 218=Tripoli 220=Banjul "
    "221=Dakar 222=Nouakchott 223=Bamako 224=Conakry 225=Abidjan 226=Ouagadougou 227=Niamey "
    "228=Lome 229=Porto-Novo 231=Monrovia 232=Freetown 233=Accra 234=Lagos 235=Ndjamena 236=Bangui "
    "237=Douala 239=Sao_Tome 240=Malabo 241=Libreville 242=Brazzaville 243=Kinshasa,Lubumbashi "
    "244=Luanda 245=Bissau 249=Khartoum 250=Kigali 251=Addis_Ababa 252=Mogadishu 253=Djibouti "
    "254=Nairobi 255=Dar_es_Salaam 256=Kampala 257=Bujumbura 258=Maputo 260=Lusaka 263=Harare "
    "264=Windhoek 265=Blantyre 266=Maseru 267=Gaborone 268=Mbabane 27=Johannesburg 291=Asmara",
    "Europe": "30=Athens 31=Amsterdam 32=Brussels 33=Paris 34=Madrid 350=Gibraltar 351=Lisbon "
    "352=Luxembourg 353=Dublin 355=Tirane 356=Malta 358=Helsinki 359=Sofia 36=Budapest 370=Vilnius "
    "371=Riga 372=Tallinn 373=Chisinau 375=Minsk 376=Andorra 377=Monaco 380=Kyiv 381=Belgrade "
    "382=Podgorica 383=Belgrade 385=Zagreb 386=Ljubljana 387=Sarajevo 389=Skopje 39=Rome "
    "40=Bucharest 41=Zurich 420=Prague 421=Bratislava 423=Vaduz 43=Vienna 44=London 45=Copenhagen "
    "46=Stockholm 47=Oslo 48=Warsaw 49=Berlin",
    "Asia": "357=Nicosia 374=Yerevan 60=Kuala_Lumpur 62=Jakarta,Jayapura 63=Manila 65=Singapore "
    "66=Bangkok 670=Dili 673=Brunei 76=Almaty 77=Almaty 81=Tokyo 82=Seoul "
    "84=Ho_Chi_Minh 852=Hong_Kong 853=Macau 855=Phnom_Penh 856=Vientiane 86=Shanghai 880=Dhaka "
    "886=Taipei 90=Istanbul 91=Kolkata 92=Karachi 93=Kabul 94=Colombo 95=Yangon "
    "961=Beirut 962=Amman 963=Damascus 964=Baghdad 965=Kuwait 966=Riyadh 967=Aden 968=Muscat "
    "970=Gaza 971=Dubai 972=Jerusalem 973=Bahrain 974=Qatar 975=Thimphu 976=Ulaanbaatar "
    "977=Kathmandu 98=Tehran 992=Dushanbe 993=Ashgabat 994=Baku 995=Tbilisi 996=Bishkek "
    "998=Tashkent",
    "Pacific": "64=Auckland 675=Port_Moresby 676=Tongatapu 677=Guadalcanal 678=Efate 679=Fiji "
    "682=Rarotonga 685=Apia 686=Tarawa 687=Noumea 689=Tahiti",
    "Indian": "230=Mauritius 248=Mahe 960=Maldives 261=Antananarivo 262=Reunion 269=Comoro",
    "Atlantic": "500=Stanley 238=Cape_Verde 298=Faroe 354=Reykjavik",
    "Australia": "61=Sydney,Lord_Howe,Perth",
}
_IN_SEVERAL_AREAS: Final = {
    "1": ("America/New_York", "America/St_Johns", "Pacific/Honolulu"),
    "7": ("Europe/Moscow", "Asia/Kamchatka", "Europe/Kaliningrad"),
}
_BY_CODE: Final[Mapping[str, tuple[str, ...]]] = {
    code: tuple(f"{area}/{name}" for name in names.split(","))
    for area, rows in _ZONES.items()
    for code, _, names in (row.partition("=") for row in rows.split())
} | _IN_SEVERAL_AREAS
_LONGEST: Final = max(map(len, _BY_CODE))


@cache
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError):  # this machine has an older database, or none
        return timezone.utc


def zones_of(person: str) -> tuple[tzinfo, ...]:
    """Return the zones of a phone number or user id; UTC where nothing is known of its country."""
    digits = calling_code(None, person) if is_user_id(person) else person
    starts = (digits[:length] for length in range(_LONGEST, 0, -1))
    names = next((_BY_CODE[start] for start in starts if start in _BY_CODE), ())
    return tuple(map(_zone, names)) or (timezone.utc,)
