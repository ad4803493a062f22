"""Whether anybody listens, in processes of their own: a provider is set once for each."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROVIDER = (
    "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider; "
    "trace.set_tracer_provider(TracerProvider()); "
)
NOT_INSTALLED = "import sys; sys.modules['opentelemetry'] = None; "
FIND = (
    "from rasa_whatsapp_channel import instrumentation; instrumentation.start(); "
    "print(instrumentation.is_on())"
)


@pytest.mark.parametrize(
    ("before", "environment", "found"),
    [
        (NOT_INSTALLED, {}, "False"),
        ("", {}, "False"),  # installed, but nobody set a provider
        (PROVIDER, {"OTEL_SDK_DISABLED": "true"}, "False"),
        (PROVIDER, {}, "True"),
    ],
)
def test_a_provider_alone_switches_it_on(
    before: str, environment: dict[str, str], found: str
) -> None:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("OTEL_")}

    done = subprocess.run(
        [sys.executable, "-c", before + FIND],
        capture_output=True,
        text=True,
        check=True,
        env=clean | environment,
    )

    assert done.stdout.split() == [found]
