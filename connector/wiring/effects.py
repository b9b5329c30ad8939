"""The effects of the workers, from the opened plug-ins."""

from collections.abc import Callable, Mapping

from connector.core.errors import ConnectorError
from connector.core.policy import RoutePolicy
from connector.core.ports import Clock, EscrowBackend, Target
from connector.keys.handover.parent import HandOver
from connector.settings.model import Settings
from connector.wiring import alarms, ports
from connector.wiring.ports import OpenPorts
from connector.worker.effects import UpstreamEffects
from connector.worker.handover_jobs import HandoverJobs
from connector.worker.upstream_limits import UpstreamLimits

Outside = tuple[OpenPorts[EscrowBackend], OpenPorts[Target], HandOver, UpstreamLimits]
"""Escrow backends and targets by name, what hands over, and what limits it all."""


def made_effects(
    settings: Settings,
    clock: Clock,
    routes: Callable[[], Mapping[str, RoutePolicy]],
    outside: Outside,
) -> UpstreamEffects:
    """What performs looks and acts."""
    backends, targets, hand_over, limits = outside

    def refusal(upstream: str) -> ConnectorError | None:
        kind, _, name = upstream.partition(":")
        return (backends if kind == "ca" else targets).refusal(name)

    return UpstreamEffects(
        backends=backends,
        targets=targets,
        routes=routes,
        jobs=HandoverJobs(
            references=ports.references(settings),
            paces=limits.pace_of_hand_over,
            refusal=refusal,
            crash_at=settings.testing.crash_at,
            crash_by=settings.testing.crash_by,
        ),
        hand_over=hand_over,
        monotonic=clock.monotonic,
        unexpected=alarms.unexpected,
    )
