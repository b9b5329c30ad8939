"""A real Prometheus as a process of its own, on loopback, with its data in a folder of the test."""

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

from connector.keys.handover.hardening import end_with_parent
from connector_testkit.demo.polling import until
from connector_testkit.demo.ports import free_port
from tests.observe.rendered import NAMESPACE

EVERY = "1s"
"""How often it scrapes and evaluates."""
VARIABLE = re.compile(r"{{\s*(\w+)\s*}}")


class Prometheus:
    """Used as ``async with Prometheus(...) as prometheus:``.

    Args:
        program: its path.
        folder: for settings, rules, data and log.
        rules: groups of rules.
        targets: ports on loopback that are scraped.
    """

    def __init__(
        self, program: str, folder: Path, rules: Sequence[Mapping[str, Any]], targets: Sequence[int]
    ) -> None:
        self._program = program
        self._folder = folder
        self._rules = rules
        self._targets = targets
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._configure()
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                self._program,
                f"--config.file={self._folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self._port}",
                stdout=log,
                stderr=log,
                preexec_fn=partial(end_with_parent, os.getpid()),
            )
        self._session = aiohttp.ClientSession(f"http://127.0.0.1:{self._port}")
        await until("Prometheus answers", self._ready, every=0.2)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def _configure(self) -> None:
        (self._folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [*self._rules]}))
        job = {
            "job_name": "pki",
            "static_configs": [
                {
                    "targets": [f"127.0.0.1:{port}" for port in self._targets],
                    "labels": {"namespace": NAMESPACE},
                }
            ],
        }
        document = {
            "global": {"scrape_interval": EVERY, "evaluation_interval": EVERY},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [job],
        }
        (self._folder / "prometheus.yaml").write_text(yaml.safe_dump(document))

    async def _ready(self) -> bool:
        try:
            async with self._session.get("/-/ready") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def _ask(self, path: str, **query: str) -> Any:
        async with self._session.get(f"/api/v1/{path}", params=query) as answer:
            body = await answer.json()
        if body["status"] != "success":
            raise ValueError(f"{query}: {body['error']}")
        return body["data"]

    async def firing(self) -> set[str]:
        """The names of the alerts that are firing, without the prefix of all."""
        found = (await self._ask("alerts"))["alerts"]
        return {
            one["labels"]["alertname"].removeprefix("PkiConnector")
            for one in found
            if one["state"] == "firing"
        }

    async def fires(self, alert: str, within: float) -> None:
        """Wait until an alert fires."""

        async def look() -> bool:
            return alert in await self.firing()

        await until(f"{alert} fires", look, within=within, every=0.5)

    async def resolves(self, alert: str, within: float) -> None:
        """Wait until an alert does not fire any more."""

        async def look() -> bool:
            return alert not in await self.firing()

        await until(f"{alert} is resolved", look, within=within, every=0.5)

    async def quiet(self, within: float) -> None:
        """Wait until no alert fires."""

        async def look() -> bool:
            return not await self.firing()

        await until("no alert fires", look, within=within, every=0.5)

    async def answers(self, query: str, within: float) -> None:
        """Wait until a query has an answer."""

        async def look() -> bool:
            return bool((await self._ask("query", query=query))["result"])

        await until(f"Prometheus answers {query}", look, within=within, every=0.5)

    async def course(
        self, query: str, legend: str, start: float, end: float
    ) -> dict[str, list[tuple[float, float]]]:
        """Points (time, value) of each series of a query, by its name in Grafana's notation.

        Values that are no number are left out, and so are series without any other.
        """
        times = {"start": f"{start:.0f}", "end": f"{end:.0f}", "step": EVERY}
        found = (await self._ask("query_range", query=query, **times))["result"]
        named = {
            VARIABLE.sub(partial(_label, one["metric"]), legend): [
                (at, float(value)) for at, value in one["values"] if isfinite(float(value))
            ]
            for one in found
        }
        return {name: points for name, points in named.items() if points}


def _label(labels: Mapping[str, str], found: re.Match[str]) -> str:
    return labels.get(found[1], "")
