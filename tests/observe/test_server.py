"""Probes and metrics on their port."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from connector.core.metric_definitions import WEBHOOK_EVENTS
from connector.observe.health import Health
from connector.observe.labels import Names
from connector.observe.metrics import Build, PrometheusMetrics
from connector.observe.server import ObserveServer
from tests.support.counted import source_capabilities


@dataclass
class Watched:
    """A running server, and what its probes see."""

    health: Health
    answers: dict[str, bool]
    metrics: PrometheusMetrics
    url: str = ""
    client: aiohttp.ClientSession = field(default_factory=aiohttp.ClientSession)

    async def probe(self, path: str) -> tuple[int, str]:
        async with self.client.get(self.url + path) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def watched() -> AsyncIterator[Watched]:
    answers = {"journal": True, "settings": True}
    health = Health({name: lambda name=name: answers[name] for name in answers})  # type: ignore[misc]
    metrics = PrometheusMetrics(Names(sources=source_capabilities()), Build("1.0", "abc", "3.11"))
    found = Watched(health, answers, metrics)
    async with (
        ObserveServer("127.0.0.1", 0, health, metrics.registry) as server,
        found.client,
    ):
        found.url = f"http://127.0.0.1:{server.port}"
        yield found


async def test_ready_only_when_every_check_holds(watched: Watched) -> None:
    """Not before the start is over, not while a check fails, not while draining."""
    assert (await watched.probe("/readyz"))[0] == 503
    watched.health.start()
    assert await watched.probe("/readyz") == (200, "ok\n")
    watched.answers["journal"] = False
    assert await watched.probe("/readyz") == (503, "failed\n")
    watched.answers["journal"] = True
    watched.health.drain()
    assert (await watched.probe("/readyz"))[0] == 503
    assert (await watched.probe("/livez"))[0] == 200


async def test_verbose_names_each_check(watched: Watched) -> None:
    """One a line, so that the failing one is seen."""
    watched.health.start()
    watched.answers["journal"] = False
    _, text = await watched.probe("/readyz?verbose")
    assert text == "[-] journal\n[+] settings\n[+] started\n[+] not-draining\n"


async def test_not_alive_when_a_critical_task_has_ended(watched: Watched) -> None:
    """A process whose worker died is restarted, not kept."""
    gate = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(gate.wait())
        watched.health.watch("worker", task)
        assert (await watched.probe("/livez"))[0] == 200
        gate.set()
    assert await watched.probe("/livez?verbose") == (503, "[+] loop\n[-] task:worker\n")


async def test_start_is_told_apart(watched: Watched) -> None:
    """A slow start keeps the other probes waiting."""
    assert (await watched.probe("/startupz"))[0] == 503
    watched.health.start()
    assert (await watched.probe("/startupz"))[0] == 200


async def test_only_what_is_there_is_read(watched: Watched) -> None:
    """Another path or method is refused."""
    assert (await watched.probe("/"))[0] == 404
    async with watched.client.post(f"{watched.url}/metrics", data=b"x") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


async def test_metrics_are_published(watched: Watched) -> None:
    """In the text format, with what was counted."""
    labels = {"source": "ca", "event_type": "certificates_changed", "outcome": "accepted"}
    watched.metrics.count(WEBHOOK_EVENTS, **labels)
    status, text = await watched.probe("/metrics")
    assert status == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}
    counted = families["pki_connector_webhook_events"].samples
    assert [sample.labels["source"] for sample in counted if sample.value == 1] == ["ca"]
    assert "pki_connector_build_info" in families
