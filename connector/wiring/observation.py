"""Logs, metrics and probes of the process, from the settings."""

import atexit
import platform
import secrets as chance
import sys
from functools import partial
from importlib.metadata import version
from sqlite3 import sqlite_version

import structlog
from prometheus_client import generate_latest

from connector.core.metric_definitions import (
    DISCLOSURE_CEILING,
    LOG_KEYS_DROPPED,
    LOG_LINES_DROPPED,
    PARTITIONS,
)
from connector.core.secret import Credential
from connector.mounted import read_secret
from connector.observe.labels import Names
from connector.observe.log_writer import LogWriter
from connector.observe.logs import LogOptions, configure_logging
from connector.observe.metrics import Build, PrometheusMetrics
from connector.observe.recent_lines import RecentLines
from connector.operators.verbs.support import ProcessView
from connector.settings.certificates import own_certificates
from connector.settings.model import Settings
from connector.settings.secrets import own_secrets
from connector.wiring.clock import MachineClock
from connector.wiring.pulls import wanted
from connector.wiring.sources import loaded

HASH_KEY_BYTES = 32
LONGEST_HASH_KEY = 64
LAST_LINES = 2.0
"""Seconds that the last lines may take when the process ends."""

log = structlog.get_logger("connector.app")


def metrics(settings: Settings) -> PrometheusMetrics:
    """The metrics, every label combination of these settings at zero."""
    cas = tuple(f"ca:{name}" for name in settings.cas)
    uems = tuple(f"uem:{name}" for name in settings.uems)
    names = Names(
        targets=tuple(settings.uems),
        backends=cas + uems,
        partitions=settings.journal.partitions,
        credentials=(
            *(one.name for one in own_certificates(settings)),
            *(one.name for one in own_secrets(settings)),
        ),
        sources={name: source.capabilities for name, source in loaded(settings).items()},
        feeds={name: source.capabilities.event_kinds for name, (source, _) in wanted(settings)},
    )
    made = PrometheusMetrics(names, Build(program_version(), "", platform.python_version()))
    made.gauge(PARTITIONS, settings.journal.partitions)
    made.gauge(DISCLOSURE_CEILING, settings.worker.disclosure_ceiling)
    return made


def program_version() -> str:
    """The version of the installed distribution."""
    return version("pki-connector")


def view(counted: PrometheusMetrics, recent: RecentLines) -> ProcessView:
    """What this process publishes, for a support bundle."""
    text = generate_latest(counted.registry).decode()
    return ProcessView(metrics=text, log=tuple(recent.lines()))


def start_logging(
    settings: Settings, clock: MachineClock, counted: PrometheusMetrics, recent: RecentLines
) -> None:
    """Send the logs of the process to standard output, beginning with what it runs on.

    The last lines are kept in ``recent``.

    At the end of the process, also by an error, what is still queued has a short time.
    """
    file = settings.service.user_hash_key_file
    key = Credential(chance.token_hex(HASH_KEY_BYTES)) if file is None else read_secret(file)
    options = LogOptions(
        level=settings.service.log_level, user_key=key.reveal().encode()[:LONGEST_HASH_KEY]
    )
    writer = LogWriter(
        sys.stdout.fileno(),
        dropped=partial(counted.count, LOG_LINES_DROPPED),
        flows=lambda lost: log.warning("log.lines_dropped", count=lost),
    )
    atexit.register(writer.drain, LAST_LINES)
    configure_logging(
        options, recent.before(writer), clock, partial(counted.count, LOG_KEYS_DROPPED)
    )
    log.info(
        "service.starting",
        version=program_version(),
        python=platform.python_version(),
        sqlite=sqlite_version,
    )
