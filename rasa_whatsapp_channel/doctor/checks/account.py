"""
Account checks: what WhatsApp answers about token, number and subscription.

https://developers.facebook.com/docs/graph-api/reference/debug_token/
https://developers.facebook.com/documentation/business-messaging/whatsapp/reference/whatsapp-business-account/subscribed-apps-api
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, skipped, warning
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.apis import GRAPH_VERSION
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, Verdict, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import PlatformError, read_errors

MESSAGING: Final = "whatsapp_business_messaging"
MANAGEMENT: Final = "whatsapp_business_management"
RENEW: Final = (
    "Make one that never expires, for a system user, with both WhatsApp permissions: "
    "business.facebook.com → Settings → System users → Generate token."
)
_SOON: Final = 3 * DAY
_COMING: Final = 14 * DAY


@dataclass(frozen=True)
class ApiAnswer:
    """The answer to one request: an HTTP *status* with a *body*, or the *failure* in words."""

    status: int | None
    body: Mapping[str, Any] = field(default_factory=dict)
    failure: str = ""

    @property
    def error(self) -> PlatformError | None:
        errors = read_errors(self.body)
        if errors:
            return errors[0]
        bad = self.status is not None and self.status >= 400
        return PlatformError(self.status or 0, title=f"HTTP {self.status}") if bad else None

    @property
    def refuses_token(self) -> bool:
        found = self.error
        if found is None or self.status is None:
            return False
        verdict = decide_verdict(CLOUD_CODES, code=found.code, status=self.status)
        return self.status == 401 or verdict is Verdict.REFRESH_TOKEN

    @property
    def is_good(self) -> bool:
        return not self.failure and self.error is None

    def rows(self) -> Sequence[Mapping[str, Any]]:
        data = self.body.get("data")
        rows = data if isinstance(data, list) else []
        return [row for row in rows if isinstance(row, Mapping)]


@dataclass(frozen=True)
class Account:
    """A WhatsApp business account that the token has access to: its numbers and subscribed apps."""

    id: str
    numbers: ApiAnswer
    apps: ApiAnswer


@dataclass(frozen=True)
class CloudFacts:
    """What the Cloud API answered: numbers by phone_number_id, one debug_token per app_secret."""

    token: ApiAnswer
    numbers: Mapping[str, ApiAnswer]
    accounts: Sequence[Account]
    secrets: Sequence[ApiAnswer]
    now: float

    @property
    def data(self) -> Mapping[str, Any]:
        data = self.token.body.get("data")
        return data if isinstance(data, Mapping) else {}


def accounts_of(token: ApiAnswer) -> list[str]:
    """Return the ids of the business accounts that *token* is for, from debug_token."""
    data = token.body.get("data")
    scopes = data.get("granular_scopes") if isinstance(data, Mapping) else None
    found: dict[str, None] = {}
    for scope in scopes if isinstance(scopes, list) else ():
        if isinstance(scope, Mapping) and scope.get("scope") in (MANAGEMENT, MESSAGING):
            found.update(dict.fromkeys(map(str, scope.get("target_ids") or ())))
    return list(found)


def check_cloud(facts: CloudFacts) -> Iterator[CheckResult]:
    answers = [facts.token, *facts.numbers.values()]
    failed = next((answer.failure for answer in answers if answer.failure), "")
    if failed:
        yield _out_of_reach(failed)
        return
    refused = _refusal(facts)
    if refused is not None:
        yield error("account.token", f"WhatsApp refuses the access token: {refused}.", RENEW)
        return
    yield from _check_token(facts)
    for number, answer in facts.numbers.items():
        yield from _check_number(number, answer, facts.accounts)
    yield from _check_secrets(facts)
    yield from _check_subscription(facts)


def _out_of_reach(failure: str) -> CheckResult:
    if re.search(r"//(localhost|127\.|\[::1\])", failure):
        return error(
            "account.reach",
            f"Nobody answers where base_url leads: {failure}.",
            "Start the simulator, `rasa-whatsapp simulate`; or take base_url away for WhatsApp.",
        )
    return error(
        "account.reach",
        f"WhatsApp cannot be reached: {failure}.",
        "See whether a firewall or a missing HTTPS_PROXY is between, or base_url is wrong; "
        "--offline leaves this out.",
    )


def _refusal(facts: CloudFacts) -> str | None:
    if facts.data.get("is_valid") is False:
        told = facts.data.get("error")
        said = told.get("message") if isinstance(told, Mapping) else None
        return str(said or "it is not valid").rstrip(".")
    answers = [facts.token, *facts.numbers.values()]
    return next((str(each.error).rstrip(".") for each in answers if each.refuses_token), None)


def _check_token(facts: CloudFacts) -> Iterator[CheckResult]:
    if not facts.data:
        yield ok("account.token", "alive")
        yield skipped("account.expiry", "WhatsApp does not tell when this token ends.")
        return
    of = facts.data.get("application")
    yield ok("account.token", f"alive, of the app {of}" if of else "alive")
    yield _check_expiry(_number(facts.data.get("expires_at")), facts.now)
    scopes = facts.data.get("scopes")
    if not isinstance(scopes, list):
        return
    missing = [scope for scope in (MESSAGING, MANAGEMENT) if scope not in scopes]
    if MESSAGING in missing:
        yield error(
            "account.scopes",
            f"the token may not send: it lacks {' and '.join(missing)}.",
            f"Generate it again with {MESSAGING} and {MANAGEMENT} ticked.",
        )
    elif missing:
        yield warning(
            "account.scopes",
            f"the token lacks {MANAGEMENT}: neither numbers nor subscriptions can be looked at.",
            f"Generate it again with {MANAGEMENT} ticked, too.",
        )
    else:
        yield ok("account.scopes", f"{MESSAGING}, {MANAGEMENT}")


def _check_expiry(ends: int, now: float) -> CheckResult:
    if ends == 0:
        return ok("account.expiry", "never")
    left, day = ends - now, datetime.fromtimestamp(ends, timezone.utc).strftime("%Y-%m-%d %H:%M")
    text = f"the token ends at {day} UTC, {_words(left)}."
    if left < _SOON:
        return error("account.expiry", text, RENEW)
    if left < _COMING:
        return warning("account.expiry", text, RENEW)
    return ok("account.expiry", text.rstrip("."))


def _words(seconds: float) -> str:
    if seconds <= 0:
        return "which is over"
    hours = int(seconds // 3600)
    return f"in {hours // 24} days" if hours >= 48 else f"in {hours} hours"


def _check_number(
    number: str, answer: ApiAnswer, accounts: Sequence[Account]
) -> Iterator[CheckResult]:
    told = answer.body
    if answer.error is not None or not told.get("display_phone_number"):
        why = _why_unknown(number, accounts)
        yield error(
            "account.number", f"The token knows no number with the id {number}{why[0]}.", why[1]
        )
        return
    name = f"{told['display_phone_number']} “{told.get('verified_name') or 'no name yet'}”"
    state, platform = told.get("status"), told.get("platform_type")
    if state not in (None, "CONNECTED") or platform not in (None, "CLOUD_API"):
        shown = state if state not in (None, "CONNECTED") else platform
        yield error(
            "account.number",
            f"{name} is {shown}: it sends and receives nothing.",
            f"Register it: POST …/{number}/register with its PIN, or see WhatsApp Manager → "
            "Phone numbers.",
        )
        return
    quality = str(told.get("quality_rating") or "UNKNOWN")
    if quality == "RED":
        yield warning(
            "account.number",
            f"{name} has the quality RED: people block or report it, and WhatsApp slows it down.",
            "See WhatsApp Manager → Phone numbers → Insights; write to fewer people unasked.",
        )
    else:
        yield ok("account.number", f"{name}, quality {quality}")


def _why_unknown(number: str, accounts: Sequence[Account]) -> tuple[str, str]:
    rows = [row for account in accounts for row in account.numbers.rows()]
    if number in [account.id for account in accounts]:
        what = ": it is that of the business account"
    elif any(_digits(row.get("display_phone_number")) == _digits(number) for row in rows):
        what = ": it is the number itself"
    else:
        what = ""
    if not rows:
        return what, "Copy the phone number ID from WhatsApp → API Setup in Meta's dashboard."
    known = ", ".join(f"{row.get('id')} ({row.get('display_phone_number')})" for row in rows[:5])
    return what, f'Write phone_number_id: "{rows[0].get("id")}"; the token reaches {known}.'


def _digits(value: object) -> str:
    return "".join(filter(str.isdigit, str(value)))


def _check_secrets(facts: CloudFacts) -> Iterator[CheckResult]:
    for answer in facts.secrets:
        if answer.error is not None:
            yield error(
                "account.app_secret",
                "app_secret is not that of the token's app, so every webhook would be refused.",
                "Copy it from App settings → Basic → App secret of the app that WhatsApp calls.",
            )
            return
    if facts.secrets:
        yield ok("account.app_secret", "belongs to the token's app")


def _check_subscription(facts: CloudFacts) -> Iterator[CheckResult]:
    ours = [each for each in facts.accounts if _ids(each.numbers) & set(facts.numbers)]
    if not ours:
        yield skipped(
            "account.subscription",
            "The token does not tell which business account the number is in.",
            "Name it with --account ID.",
        )
    for account in ours:
        yield _check_apps(account, str(facts.data.get("app_id") or ""))


def _check_apps(account: Account, app: str) -> CheckResult:
    if account.apps.error is not None:
        return skipped("account.subscription", f"Cannot be asked: {account.apps.error}.")
    apps = [_app(row) for row in account.apps.rows()]
    ids = [each for each, _ in apps]
    names = ", ".join(name for _, name in apps)
    subscribe = (
        f"curl -X POST https://graph.facebook.com/{GRAPH_VERSION}/{account.id}/subscribed_apps "
        '-H "Authorization: Bearer $WHATSAPP_ACCESS_TOKEN"'
    )
    if not ids:
        text = f"No app is subscribed to the business account {account.id}: no message arrives."
        return error("account.subscription", text, subscribe)
    if app and app not in ids:
        text = f"The token's app is not subscribed to {account.id}, but {names} is."
        return error("account.subscription", text, subscribe)
    if len(ids) > 1:
        return warning(
            "account.subscription",
            f"{names} all get every message; people are answered twice if two of them are bots.",
            "Take the others away, in their own dashboards or with DELETE …/subscribed_apps.",
        )
    return ok("account.subscription", f"{names} gets the messages of {account.id}")


def _app(row: Mapping[str, Any]) -> tuple[str, str]:
    data = row.get("whatsapp_business_api_data")
    data = data if isinstance(data, Mapping) else row
    return str(data.get("id", "")), str(data.get("name") or data.get("id", ""))


def _ids(answer: ApiAnswer) -> set[str]:
    return {str(row.get("id")) for row in answer.rows()}


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def registered_webhook(facts: CloudFacts) -> str | None:
    """Return the webhook URL that WhatsApp has for the first number, None where it is not told."""
    for answer in facts.numbers.values():
        found = answer.body.get("webhook_configuration")
        if isinstance(found, Mapping):
            levels = ("phone_number", "whatsapp_business_account", "application")
            return next((str(found[level]) for level in levels if found.get(level)), None)
    return None


def registered_url(answer: ApiAnswer) -> str | None:
    """Return the webhook URL that 360dialog has, None where it is not told."""
    url = answer.body.get("url")
    return str(url) if url else None


def check_other(api: str, answer: ApiAnswer, health: ApiAnswer | None) -> Iterator[CheckResult]:
    """Check Turn, 360dialog and on-premises by the *answer* to a read-only request."""
    if answer.failure:
        yield _out_of_reach(answer.failure)
        return
    if answer.refuses_token:
        yield error("account.token", *_refused(api, answer))
        return
    yield ok("account.token", "alive")
    if health is not None:
        yield _check_health(health)


def _refused(api: str, answer: ApiAnswer) -> tuple[str, str]:
    if api == "on_premises":
        return (
            f"The client refuses username and password: {answer.error}.",
            "Correct them, or set a new password: POST /v1/users/login with new_password.",
        )
    where = {"turn": "Turn → Settings → API & Webhooks", "360dialog": "the 360dialog Hub → API key"}
    return f"{api} refuses the access token: {answer.error}.", f"Make a new one in {where[api]}."


def _check_health(answer: ApiAnswer) -> CheckResult:
    health = answer.body.get("health")
    states = [health] if isinstance(health, Mapping) and "gateway_status" in health else []
    if isinstance(health, Mapping) and not states:  # one for each node of a cluster
        states = [node for node in health.values() if isinstance(node, Mapping)]
    found = {str(node.get("gateway_status")) for node in states}
    if found == {"connected"}:
        return ok("account.client", "connected to WhatsApp")
    shown = ", ".join(sorted(found)) or str(answer.error or "without a state")
    return error(
        "account.client",
        f"The client is {shown}: it sends nothing.",
        "See its containers' logs; POST /v1/account registers it.",
    )
