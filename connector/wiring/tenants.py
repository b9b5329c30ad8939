"""Who may send notifications, from the settings and the mounted secrets of the moment."""

from collections.abc import Iterator

from connector import plugins
from connector.core.source import Sender, Source
from connector.settings.model import Settings
from connector.settings.reload import Snapshot
from connector.settings.service import Intake
from connector.sources.server import IntakeServer, Surroundings
from connector.sources.tenants import Limits, Listener
from connector.wiring.sources import loaded


def sources(settings: Settings, secrets: Snapshot) -> dict[str, Source]:
    """Every source that is posted to, with its senders: the UEMs and CAs that have a webhook.

    Raises:
        Permanent: ``CFG-003`` when a secret of a sender is unusable, ``CFG-004`` when a source
            cannot be loaded.
    """
    kinds = {name: one for name, one in loaded(settings).items() if one.capabilities.webhook}
    senders = list(_senders(settings, secrets, frozenset(kinds)))
    return {
        name: kind([one for source, one in senders if source == name])
        for name, kind in kinds.items()
    }


def _senders(
    settings: Settings, secrets: Snapshot, kinds: frozenset[str]
) -> Iterator[tuple[str, Sender]]:
    for group, section in ((plugins.TARGETS, settings.uems), (plugins.ESCROW, settings.cas)):
        for name, upstream in section.items():
            source = plugins.source_of(group, upstream.type, kinds)
            if source is not None and upstream.webhook is not None:
                yield source, Sender(name, upstream.webhook, secrets.credential)


def server(settings: Settings, secrets: Snapshot, around: Surroundings) -> IntakeServer:
    """The webhook listener, not yet open."""
    intake = settings.service.intake
    names = {*settings.uems, *settings.cas}
    return IntakeServer(listener(intake), limits(intake), sources(settings, secrets), around, names)


def listener(intake: Intake) -> Listener:
    """Where webhooks are taken."""
    return Listener(
        host=intake.listen.host,
        port=intake.listen.port,
        certificate=intake.tls.certificate_file if intake.tls else None,
        key=intake.tls.key_file if intake.tls else None,
        proxies=intake.plain_from,
    )


def limits(intake: Intake) -> Limits:
    """The limits for all callers."""
    return Limits(
        body=intake.body_limit,
        header=intake.header_limit,
        idle=intake.idle_timeout.total_seconds(),
        connections=intake.connections,
        per_address=intake.connections_per_address,
        failed_tries=intake.failed_tries.limit,
        failed_window=intake.failed_tries.window.total_seconds(),
    )
