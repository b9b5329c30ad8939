"""Rules for every test: a clean environment, no network but loopback, tools named by need."""

import gc
import inspect
import ipaddress
import logging
import os
import random
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import hypothesis
import pytest
import structlog

from connector_testkit.demo.polling import SLOWNESS, patience, slowness
from tests import covered, honest, one_worker, second_chance
from tests.image import loopback

hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile(  # for `make mutants`: finds an example, seeks no smaller one
    "mutants",
    hypothesis.settings.get_profile("untimed"),
    derandomize=True,
    phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
)
hypothesis.settings.load_profile("untimed")  # on a busy machine an example takes what it takes

SCRUBBED_PREFIXES = ("PKI_CONNECTOR_",)
SCRUBBED_NAMES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"})
LOCAL_NAMES = frozenset({None, "", "localhost", "localhost.localdomain"})

Needs = Callable[[str], str]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("pki-connector")
    group.addoption("--kills", type=int, default=6, help="kills in the random kill test")
    group.addoption("--seed", type=int, default=None, help="seed of random kills and chaos")
    group.addoption("--minutes", type=float, default=None, help="how long the chaos test lasts")
    group.addoption("--histories", type=int, default=100, help="random histories of the core")
    group.addoption("--holders", type=int, default=15, help="holders in the chaos test")
    group.addoption(
        "--second-chance",
        action="store_true",
        help="run a test that failed once more, alone, when everything else has ended",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.option.seed is None:
        config.option.seed = random.SystemRandom().randrange(2**32)
    for name in list(os.environ):
        if name.startswith(SCRUBBED_PREFIXES) or name.upper() in SCRUBBED_NAMES:
            del os.environ[name]
    os.environ.setdefault(SLOWNESS, str(round(slowness() * crowding(config), 1)))
    slowness.cache_clear()
    sys.addaudithook(refuse_remote)
    programs = honest.WholePrograms()
    config.pluginmanager.register(programs)
    config.pluginmanager.register(one_worker)
    sys.addaudithook(programs.watch)
    if config.option.second_chance and not hasattr(config, "workerinput"):
        config.pluginmanager.register(second_chance.SecondChance(config))
        config.pluginmanager.register(covered)


def crowding(config: pytest.Config) -> float:
    """How many workers of a parallel run share a core, at least 1: each is as much slower."""
    workers = getattr(config.option, "numprocesses", None) or 1
    return max(1.0, workers / len(os.sched_getaffinity(0)))


def pytest_report_header(config: pytest.Config) -> list[str]:
    chosen = config.option
    return [
        f"random kills and chaos: --kills {chosen.kills} --seed {chosen.seed}",
        f"patience: {patience():.0f} s, because the machine is at 1/{slowness()} of its speed",
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped in CI fails."""
    report = yield
    honest.ran(item, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So does a file."""
    report = yield
    honest.collected(report)
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    second_chance.mark(items)


def pytest_collection_finish() -> None:
    """From here on the collector looks only at what tests make, so that it can run after each."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _leaves_nothing_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test leaves to the collector complains in that test, not in a later one."""
    yield
    if inspect.iscoroutinefunction(request.function):  # others open nothing that is collected late
        gc.collect()


def refuse_remote(event: str, arguments: tuple[Any, ...]) -> None:
    """Fail the test that speaks to another machine, also when the code handles the exception."""
    if loopback.is_alone():
        return
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        if isinstance(address, tuple) and not is_local(address[0]):
            pytest.fail(f"a test speaks to another machine: {event} {address}")
    elif event == "socket.getaddrinfo" and not is_local(arguments[0]):
        pytest.fail(f"a test resolves a name outside: {arguments[0]!r}")


def is_local(host: str | bytes | None) -> bool:
    """Whether a host, as sockets name it, is this machine's loopback (or means any address)."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in LOCAL_NAMES:
        return True
    try:
        address = ipaddress.ip_address(str(name))
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that ran in this process leaves no other test its way of logging."""
    root = logging.getLogger()
    level, raising = root.level, logging.raiseExceptions
    yield
    structlog.reset_defaults()
    root.setLevel(level)
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)


@pytest.fixture(scope="session")
def needs() -> Needs:
    """Find a program: ``needs("openssl")`` is its path; without it, the test is skipped."""

    def find(program: str) -> str:
        path = shutil.which(program)
        if path is not None:
            return path
        pytest.skip(f"{program} is not installed")

    return find


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config) -> int:
    """How often the random kill test kills."""
    count: int = pytestconfig.option.kills
    return count


@pytest.fixture(scope="session")
def histories(pytestconfig: pytest.Config) -> int:
    """How many random histories the core goes through."""
    count: int = pytestconfig.option.histories
    return count


@pytest.fixture(scope="session")
def minutes(pytestconfig: pytest.Config) -> float | None:
    """How long the chaos test lasts, if that was said."""
    given: float | None = pytestconfig.option.minutes
    return given


@pytest.fixture(scope="session")
def holders(pytestconfig: pytest.Config) -> int:
    """How many holders the chaos test has."""
    count: int = pytestconfig.option.holders
    return count


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """Seed of random histories; printed in the header, given again with ``--seed``."""
    value: int = pytestconfig.option.seed
    return value
