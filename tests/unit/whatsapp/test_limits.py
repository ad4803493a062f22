"""Each number that WhatsApp documents stands below its page, and the month it was read in."""

import re
from pathlib import Path

from rasa_whatsapp_channel.whatsapp import limits

MONTH = re.compile(r"\((Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20\d\d\)")
OWN = {"KB", "MB"}


def test_every_limit_has_its_page_and_month():
    source = ""
    missing = []
    for line in Path(limits.__file__).read_text(encoding="utf-8").splitlines():
        if not line:
            source = ""
        elif line.startswith("#"):
            source += line
        elif (found := re.match(r"[A-Z_]+(?=: Final)", line)) and found[0] not in OWN:
            missing += [] if MONTH.search(source) else [found[0]]

    assert missing == []
