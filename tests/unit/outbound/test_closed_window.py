"""Outside of the 24-hour window: Direct Send, template, the text in a template, or waiting."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.recovery import OUTSIDE_WINDOW
from rasa_whatsapp_channel.outbound.window import WaysOut
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import WINDOW
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import Status

PHONE = "4915112345678"
NEWS = {
    "type": "template",
    "template": {
        "name": "news",
        "language": {"code": "en"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "{text}"}]}],
    },
}
SHIPPED = {
    "utter_action": "utter_shipped",
    "text": "Your order has left",
    "metadata": {"whatsapp": {"template": {"name": "order", "language": "en_US"}}},
}
OWN = {
    "utter_action": "utter_own",
    "text": "Your order has left",
    "metadata": {"whatsapp": {"template": {"category": "utility", "language": "en_US"}}},
}
CAMPAIGN = {
    "custom": {"type": "template", "template": {"name": "campaign", "language": {"code": "en"}}}
}
BROCHURE = {
    "custom": {
        "type": "template",
        "template": {
            "name": "brochure",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "header",
                    "parameters": [
                        {"type": "image", "image": {"link": "https://shop.example/a.jpg"}}
                    ],
                }
            ],
        },
    }
}
PLAIN = {"utter_action": "utter_plain", "text": "Your table\nis ready"}
PICTURE = {"utter_action": "utter_picture", "image": "https://shop.example/a.jpg"}
NOT_ENABLED = "This call requires Direct Send, which isn't enabled for this account"


def refuse(code: int, text: str = "title") -> APIError:
    verdict = decide_verdict(CLOUD_CODES, code=code, status=400)
    return APIError(PlatformError(code, text), status=400, verdict=verdict)


class Bot:
    """Says responses to somebody whose window is closed."""

    def __init__(self, office, *, reengagement=None, direct_send=False, begins=False):
        self.office = office
        self.turn_version = 0 if begins else None
        self.count = 0
        self.direct_send = direct_send
        office.make_sender(reengagement=reengagement)
        self.ways = WaysOut(office.account, reengagement=reengagement)

    async def says(self, *responses, to=PHONE):
        self.count += 1
        writer = OutboxWriter(
            self.office.store,
            Composer(CLOUD),
            turn_id=f"reminder{self.count}",
            turn_version=self.turn_version,
            ways=self.ways,
            direct_send=self.direct_send,
            clock=self.office.clock,
        )
        for response in responses:
            await writer.write(to, response)
        await self.office.run()

    @property
    def sent(self):
        return [_short(body) for _, body in self.office.client.sent]

    async def hears_from_the_person(self):
        await self.office.wrote(hours_ago=0)
        await self.office.store.outbox.end_wait(PHONE, WINDOW)
        await self.office.run()


def _short(body):
    if body["type"] == "template":
        components = body["template"].get("components") or [{"parameters": []}]
        values = [each["text"] for each in components[0]["parameters"] if "text" in each]
        return " ".join([body["template"]["name"], *values])
    way = "direct" if "category" in body else "free"
    return f"{way} {body['text']['body']}" if body["type"] == "text" else body["type"]


@pytest.fixture
def make_bot(office):
    def make(**settings):
        return Bot(office, **settings)

    return make


@pytest.fixture(autouse=True)
async def closed(office):
    await office.wrote(hours_ago=30)


async def test_direct_send_goes_where_it_may_and_nothing_follows(make_bot):
    bot = make_bot(direct_send=True, reengagement=NEWS)

    await bot.says(SHIPPED)
    await bot.hears_from_the_person()

    assert bot.sent == ["direct Your order has left"]


async def test_without_the_setting_the_template_goes_and_the_message_follows(make_bot):
    bot = make_bot()

    await bot.says(SHIPPED)
    assert bot.sent == ["order"]
    await bot.hears_from_the_person()

    assert bot.sent == ["order", "free Your order has left"]


async def test_a_response_that_is_the_template_does_not_come_twice(make_bot):
    bot = make_bot()

    await bot.says(OWN)
    await bot.hears_from_the_person()

    assert bot.sent == ["utter_own"]


@pytest.mark.parametrize("how", ["answer", "status"])
@pytest.mark.parametrize("code", [132000, 132001, 132015])
async def test_where_that_template_is_refused_the_text_goes_in_the_other_one(
    make_bot, office, how, code
):
    bot = make_bot(reengagement=NEWS)
    await _say_refused(bot, office, OWN, how, code)

    assert bot.sent[-1] == "news Your order has left"


async def test_without_another_way_it_waits_for_the_person(make_bot, office):
    bot = make_bot()
    office.client.answers = [refuse(132001)]
    await bot.says(OWN)
    assert bot.sent == []

    await bot.hears_from_the_person()

    assert bot.sent == ["free Your order has left"]


async def test_the_text_goes_in_the_reengagement_template_and_does_not_come_twice(make_bot):
    bot = make_bot(reengagement=NEWS)

    await bot.says(PLAIN)
    await bot.hears_from_the_person()

    assert bot.sent == ["news Your table is ready"]


async def test_otherwise_it_waits_and_says_so(make_bot, caplog):
    bot = make_bot()

    await bot.says(PLAIN)
    assert bot.sent == []
    assert "utter_plain" in caplog.text
    assert "[WA808]" in caplog.text
    await bot.hears_from_the_person()

    assert bot.sent == ["free Your table\nis ready"]


async def test_while_the_window_is_open_everything_is_free_text(make_bot, office):
    await office.wrote(hours_ago=1)
    bot = make_bot(direct_send=True, reengagement=NEWS)

    await bot.says(SHIPPED, PLAIN)

    assert bot.sent == ["free Your order has left", "free Your table\nis ready"]


async def test_what_waits_holds_up_nothing_that_has_a_way(make_bot):
    bot = make_bot(direct_send=True)

    await bot.says(PICTURE)
    await bot.says(PLAIN)

    assert bot.sent == ["direct Your table\nis ready"]


async def test_what_waits_holds_up_no_template(make_bot):
    bot = make_bot()

    await bot.says(PICTURE)
    await bot.says(CAMPAIGN)

    assert bot.sent == ["campaign"]


async def test_a_template_does_not_overtake_the_picture_of_the_one_before(make_bot, office):
    bot = make_bot()

    await bot.says(BROCHURE, CAMPAIGN)
    assert bot.sent == ["brochure"]

    office.clock.now += SendPolicy().delivered_timeout
    await office.run()
    assert bot.sent == ["brochure", "campaign"]


async def test_a_template_that_may_have_arrived_holds_up_no_answer(make_bot, office):
    await office.store.values.delete(f"wrote:{PHONE}")
    bot = make_bot(begins=True)
    office.client.answers = [TransportError("connection lost")]
    await bot.says(CAMPAIGN)

    await bot.hears_from_the_person()
    await bot.says(PLAIN)
    assert bot.sent == ["free Your table\nis ready"]

    office.clock.now += OUTSIDE_WINDOW
    await office.run()
    assert bot.sent[1:] == ["campaign"]


@pytest.mark.parametrize("how", ["answer", "status"])
@pytest.mark.parametrize("code", [100, 131047, 132015, 132021, 139200, 132018])
async def test_where_direct_send_is_refused_the_template_goes(make_bot, office, how, code):
    bot = make_bot(direct_send=True)

    await _say_refused(bot, office, SHIPPED, how, code)
    await bot.hears_from_the_person()

    assert bot.sent[-2:] == ["order", "free Your order has left"]


@pytest.mark.parametrize("how", ["answer", "status"])
@pytest.mark.parametrize("code", [132000, 132001, 132005, 132015, 132016])
async def test_where_the_template_for_the_text_is_refused_the_message_waits(
    make_bot, office, how, code
):
    bot = make_bot(reengagement=NEWS)

    await _say_refused(bot, office, PLAIN, how, code)
    await bot.hears_from_the_person()

    assert bot.sent[-1] == "free Your table\nis ready"


@pytest.mark.parametrize("code", [100, 132000, 132001, 132005, 132012, 132015, 132016])
async def test_where_its_template_is_refused_the_text_goes_in_the_other_one(make_bot, office, code):
    bot = make_bot(reengagement=NEWS)
    office.client.answers = [refuse(code)]

    await bot.says(SHIPPED)

    assert bot.sent == ["news Your order has left"]


async def test_all_ways_may_be_refused_one_after_the_other(make_bot, office):
    bot = make_bot(direct_send=True, reengagement=NEWS)
    office.client.answers = [refuse(100, NOT_ENABLED), refuse(132001), refuse(132001)]

    await bot.says(SHIPPED)
    assert bot.sent == []
    await bot.hears_from_the_person()

    assert bot.sent == ["free Your order has left"]


@pytest.mark.parametrize("error", [refuse(100, NOT_ENABLED), refuse(139200)])
async def test_an_account_without_direct_send_is_not_asked_again_within_the_hour(
    make_bot, office, clock, error
):
    bot = make_bot(direct_send=True)
    office.client.answers = [error]
    await bot.says(PLAIN)
    await bot.says(SHIPPED)
    assert bot.sent == ["order"]

    clock.now += 3_601
    await bot.says({**PLAIN, "text": "later"})

    assert bot.sent == ["order", "direct later"]


async def test_another_mistake_in_one_message_keeps_direct_send_for_the_next(make_bot, office):
    bot = make_bot(direct_send=True)
    office.client.answers = [refuse(100, "Invalid parameter")]

    await bot.says(SHIPPED)
    await bot.says(PLAIN)

    assert bot.sent == ["order", "direct Your table\nis ready"]


async def test_a_user_id_gets_no_direct_send(make_bot, office):
    who = "DE.13491208655302741918"
    await office.wrote(hours_ago=30, who=who)
    bot = make_bot(direct_send=True)

    await bot.says(SHIPPED, to=who)

    assert bot.sent == ["order"]


async def test_a_person_of_whom_nothing_is_known_is_asked_for_first(make_bot, office):
    await office.store.values.delete(f"wrote:{PHONE}")
    bot = make_bot(direct_send=True)
    office.client.answers = [refuse(131047)]

    await bot.says(SHIPPED)

    assert bot.sent == ["direct Your order has left"]


async def test_who_is_written_to_first_gets_the_sure_way_at_once(make_bot, office):
    await office.store.values.delete(f"wrote:{PHONE}")
    bot = make_bot(begins=True)

    await bot.says(SHIPPED)
    assert bot.sent == ["order"]  # and no message that WhatsApp would refuse
    await bot.hears_from_the_person()

    assert bot.sent == ["order", "free Your order has left"]


async def test_without_any_way_whoever_is_written_to_first_is_tried(make_bot, office):
    await office.store.values.delete(f"wrote:{PHONE}")
    bot = make_bot(begins=True)

    await bot.says(PLAIN)

    assert bot.sent == ["free Your table\nis ready"]


async def _say_refused(bot, office, response, how, code):
    if how == "answer":
        office.client.answers = [refuse(code)]
    await bot.says(response)
    if how == "status":
        error = PlatformError(code, "title")
        await office.statuses.note(Status("wamid.1", "failed", recipient_id=PHONE, errors=(error,)))
        await office.run()
