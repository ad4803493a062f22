"""examples/docker, systemd and kubernetes are what their programs and the channel want."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.tools import find_tool

from rasa_whatsapp_channel.app import GRACE
from rasa_whatsapp_channel.cli import COMMANDS
from rasa_whatsapp_channel.cli.commands.serve import PORT
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.store import check_store

EXAMPLES = Path(__file__).parents[2] / "examples"
DOCKER, SYSTEMD, KUBERNETES = (EXAMPLES / name for name in ("docker", "systemd", "kubernetes"))
DEPLOYMENTS = (DOCKER, SYSTEMD, KUBERNETES)
ENVIRONMENTS = (
    DOCKER / ".env.example",
    SYSTEMD / "rasa-whatsapp.env.example",
    DOCKER / ".env.example",  # Kubernetes makes its secret of the same
)
SANIC_GRACE = 15.0  # GRACEFUL_SHUTDOWN_TIMEOUT, which begins when the channel has ended its work
ALONE = GRACE * 1.5  # the inbox, then the outbox
STOP = ALONE + SANIC_GRACE  # and Sanic's connections
VARIABLE = re.compile(r"\$\{(\w+)\}")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def manifests() -> Iterator[dict[str, Any]]:
    for path in sorted(KUBERNETES.glob("[!k]*.yaml")):  # all but kustomization.yaml
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def manifest(kind: str, name: str) -> dict[str, Any]:
    [found] = [one for one in manifests() if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def unit(name: str) -> configparser.SectionProxy:
    # systemd takes a key twice; only the last counts here, and none of them is asked for.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(SYSTEMD / f"{name}.service", encoding="utf-8")
    return parser["Service"]


@pytest.mark.parametrize("folder", DEPLOYMENTS, ids=lambda folder: folder.name)
def test_the_channel_takes_the_block_of_settings(folder: Path) -> None:
    text = (folder / "credentials.yml").read_text(encoding="utf-8")
    filled = yaml.safe_load(VARIABLE.sub('"106540352242922"', text))

    settings = Settings.from_credentials(filled[CHANNEL], environ={})
    check_store(settings.store)

    assert settings.base_url is None or "127.0.0.1" not in settings.base_url
    assert settings.media.store == "whatsapp_media"
    assert settings.roles == ("bot",)


@pytest.mark.parametrize(
    ("folder", "example"),
    list(zip(DEPLOYMENTS, ENVIRONMENTS, strict=True)),
    ids=[folder.name for folder in DEPLOYMENTS],
)
def test_every_secret_is_a_variable_that_the_example_of_the_environment_names(
    folder: Path, example: Path
) -> None:
    block = load(folder / "credentials.yml")[CHANNEL]
    lines = [line for line in example.read_text().splitlines() if line and line[0] != "#"]

    for key in ("phone_number_id", "access_token", "app_secret", "verify_token"):
        assert VARIABLE.fullmatch(block[key]), key
    assert lines == [f"{name}=" for name in VARIABLE.findall(str(block))]


@pytest.mark.parametrize("folder", [DOCKER, KUBERNETES], ids=lambda folder: folder.name)
def test_channel_trackers_and_locks_lie_apart_in_one_redis(folder: Path) -> None:
    store = load(folder / "credentials.yml")[CHANNEL]["store"]
    endpoints = load(folder / "endpoints.yml")

    assert store == "redis://redis:6379/0"
    places = [endpoints[name] for name in ("tracker_store", "lock_store")]
    assert {(place["type"], place["url"], place["port"]) for place in places} == {
        ("redis", "redis", 6379)
    }
    assert [place["db"] for place in places] == [1, 2]
    assert endpoints["action_endpoint"]["url"] == "http://actions:5055/webhook"


# --- docker


def test_compose_starts_rasa_when_redis_and_the_action_server_are_healthy() -> None:
    services = load(DOCKER / "compose.yml")["services"]

    assert set(services) == {"serve", "rasa", "actions", "redis"}
    assert all("healthcheck" in service for service in services.values())
    assert services["rasa"]["depends_on"] == {
        name: {"condition": "service_healthy"} for name in ("redis", "actions")
    }
    assert services["serve"]["depends_on"] == {"redis": {"condition": "service_healthy"}}
    for name in ("serve", "rasa"):
        assert "/webhooks/whatsapp/" in services[name]["healthcheck"]["test"][-1]
    for command in (services[name]["healthcheck"]["test"] for name in ("serve", "rasa", "actions")):
        compile(command[-1], "healthcheck", "exec")


def test_compose_keeps_what_must_survive_in_volumes() -> None:
    compose = load(DOCKER / "compose.yml")
    services = compose["services"]

    mounted = {name: service["volumes"] for name, service in services.items()}
    for name in ("serve", "rasa", "actions"):
        assert mounted[name] == ["received:/bot/whatsapp_media"]
    assert mounted["redis"] == ["redis:/data"]
    assert set(compose["volumes"]) == {"received", "redis"}
    assert {"--appendonly", "noeviction"} <= set(services["redis"]["command"])


def test_compose_lets_only_this_machine_in_and_gives_the_channel_time_to_stop() -> None:
    services = load(DOCKER / "compose.yml")["services"]

    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {"serve": [f"127.0.0.1:{PORT}:{PORT}"]}
    assert float(services["rasa"]["stop_grace_period"].removesuffix("s")) > STOP
    assert float(services["serve"]["stop_grace_period"].removesuffix("s")) > ALONE
    told = [name for name, service in services.items() if "env_file" in service]
    assert told == ["serve", "rasa"]


def test_compose_runs_a_command_that_is_there() -> None:
    serve = load(DOCKER / "compose.yml")["services"]["serve"]

    assert serve["entrypoint"] == ["rasa-whatsapp"]
    assert serve["command"][0] in COMMANDS


def test_the_dockerfile_copies_only_what_is_there_and_reaches_docker() -> None:
    root = EXAMPLES.parent
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    lines = re.findall(r"^COPY (?:--\S+ )*(.+) \S+$", text, re.M)
    copied = [source for line in lines for source in line.split()]
    allowed = re.findall(r"^!(.+)$", (DOCKER / "Dockerfile.dockerignore").read_text(), re.M)

    assert copied
    for source in copied:
        assert (root / source).exists(), source
        assert any(Path(source).is_relative_to(place) for place in allowed), source
    # hatchling wants what pyproject.toml names
    assert {"pyproject.toml", "hatch_build.py", "README.md", "LICENSE"} <= set(copied)


def compose() -> list[str]:
    """The program that reads compose.yml: Docker's, or the one the tests bring."""
    own = Path(sys.executable).with_name("docker-compose")
    if docker := find_tool("docker", asked=["compose", "version"]):
        return [docker, "compose"]
    if program := find_tool(beside=[own], asked=["version"]):
        return [program]
    pytest.skip("no Docker Compose here; the tests bring one for Linux with Python 3.11")


def test_docker_compose_reads_the_file(tmp_path: Path) -> None:
    shutil.copytree(DOCKER, tmp_path / "docker")
    shutil.copy(DOCKER / ".env.example", tmp_path / "docker" / ".env")

    told = subprocess.run(
        [*compose(), "config", "--quiet"],
        cwd=tmp_path / "docker",
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert told.returncode == 0, told.stderr


# --- systemd


UNITS = {"rasa-whatsapp": STOP, "rasa-whatsapp-serve": ALONE}


@pytest.mark.parametrize("name", UNITS)
def test_the_service_gives_the_channel_time_to_stop_and_comes_back(name: str) -> None:
    service = unit(name)

    assert float(service["TimeoutStopSec"]) > UNITS[name]
    assert service["KillSignal"] == "SIGTERM"
    assert service["Restart"] == "always"


@pytest.mark.parametrize("name", UNITS)
def test_the_service_can_write_only_where_the_bot_is(name: str) -> None:
    service = unit(name)

    assert service["ProtectSystem"] == "strict"
    assert service["ReadWritePaths"] == service["WorkingDirectory"] == "/srv/bot"
    assert service["NoNewPrivileges"] == "yes"
    assert service["User"] != "root"


@pytest.mark.parametrize(
    ("name", "program"), [("rasa-whatsapp", "rasa"), ("rasa-whatsapp-serve", "rasa-whatsapp")]
)
def test_systemd_finds_nothing_wrong_with_the_service(
    tmp_path: Path, name: str, program: str
) -> None:
    analyze = find_tool("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    installed = tmp_path / program
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    text = (SYSTEMD / f"{name}.service").read_text()
    assert f"/srv/venv/bin/{program} " in text
    copy = tmp_path / f"{name}.service"
    copy.write_text(text.replace(f"/srv/venv/bin/{program} ", f"{installed} "))

    told = subprocess.run([analyze, "verify", str(copy)], capture_output=True, text=True)

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


# --- kubernetes


def pod(kind: str, name: str) -> dict[str, Any]:
    spec: dict[str, Any] = manifest(kind, name)["spec"]["template"]["spec"]
    return spec


PORTS = {"serve": PORT, "rasa": 5005}


@pytest.mark.parametrize("name", PORTS)
def test_two_of_each_run_and_one_of_them_always(name: str) -> None:
    assert manifest("Deployment", name)["spec"]["replicas"] == 2
    assert manifest("PodDisruptionBudget", name)["spec"]["minAvailable"] == 1


@pytest.mark.parametrize("name", PORTS)
def test_a_server_is_asked_on_the_page_of_the_channel(name: str) -> None:
    [container] = pod("Deployment", name)["containers"]

    probes = [container[each] for each in ("startupProbe", "readinessProbe") if each in container]
    assert {probe["httpGet"]["path"] for probe in probes} == {"/webhooks/whatsapp/"}
    assert container["ports"] == [{"name": "http", "containerPort": PORTS[name]}]


def test_a_pod_gets_the_time_that_the_channel_takes_to_stop() -> None:
    assert pod("Deployment", "rasa")["terminationGracePeriodSeconds"] > STOP

    spec = pod("Deployment", "serve")
    [sleep, seconds] = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert sleep == "sleep"
    assert spec["terminationGracePeriodSeconds"] > float(seconds) + ALONE


@pytest.mark.parametrize("name", PORTS)
def test_prometheus_is_told_where_the_metrics_are(name: str) -> None:
    annotations = manifest("Deployment", name)["spec"]["template"]["metadata"]["annotations"]

    assert annotations == {
        "prometheus.io/scrape": "true",
        "prometheus.io/path": "/webhooks/whatsapp/metrics",
        "prometheus.io/port": str(PORTS[name]),
    }


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Deployment", "serve"), ("Deployment", "actions"), ("StatefulSet", "redis")],
)
def test_a_service_leads_to_every_pod_and_no_pod_is_root(kind: str, name: str) -> None:
    labels = manifest(kind, name)["spec"]["template"]["metadata"]["labels"]
    service = manifest("Service", name)["spec"]
    spec = pod(kind, name)
    [container] = spec["containers"]

    assert service["selector"].items() <= labels.items()
    assert manifest(kind, name)["spec"]["selector"]["matchLabels"] == labels
    assert [port["port"] for port in service["ports"]] == [container["ports"][0]["containerPort"]]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_all_see_what_people_send_under_one_path() -> None:
    mounts = [
        (mount["name"], mount["mountPath"])
        for name in ("serve", "rasa", "actions")
        for mount in pod("Deployment", name)["containers"][0]["volumeMounts"]
        if mount["name"] == "received"
    ]

    assert mounts == [("received", "/bot/whatsapp_media")] * 3
    assert manifest("PersistentVolumeClaim", "received")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_no_secret_is_in_the_manifests() -> None:
    assert "Secret" not in {one["kind"] for one in manifests()}
    for name in ("serve", "rasa"):
        [container] = pod("Deployment", name)["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": "whatsapp"}}]


def test_no_pod_of_rasa_is_root() -> None:
    spec = pod("Deployment", "rasa")

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_the_kustomization_names_every_file() -> None:
    kustomization = load(KUBERNETES / "kustomization.yaml")
    resources = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}

    assert set(kustomization["resources"]) == resources
    [settings] = kustomization["configMapGenerator"]
    assert set(settings["files"]) == {path.name for path in KUBERNETES.glob("*.yml")}


def test_kubectl_builds_the_manifests() -> None:
    kubectl = find_tool("kubectl", asked=["version", "--client"])
    if kubectl is None:
        pytest.skip("kubectl is not installed")

    built = subprocess.run(
        [kubectl, "kustomize", str(KUBERNETES)], capture_output=True, text=True, timeout=60
    )

    assert built.returncode == 0, built.stderr
    all_of_it = list(yaml.safe_load_all(built.stdout))
    [settings] = [one for one in all_of_it if one["kind"] == "ConfigMap"]
    [rasa] = [
        one for one in all_of_it if (one["kind"], one["metadata"]["name"]) == ("Deployment", "rasa")
    ]
    assert CHANNEL in yaml.safe_load(settings["data"]["credentials.yml"])
    volumes = rasa["spec"]["template"]["spec"]["volumes"]
    assert volumes[0]["configMap"]["name"] == settings["metadata"]["name"]
