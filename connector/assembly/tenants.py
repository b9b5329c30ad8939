"""Who may send notifications, from the settings and the mounted secrets of the moment."""

from connector.intake.server import IntakeServer, Surroundings
from connector.intake.tenants import CaTenant, Format, Limits, Listener, Tenants, UemTenant
from connector.settings.model import Settings
from connector.settings.reload import Snapshot
from connector.settings.service import Intake


def tenants(settings: Settings, secrets: Snapshot) -> Tenants:
    """Every UEM and CA that has a webhook, with its passwords and signing secrets."""
    return Tenants(
        uem=tuple(
            UemTenant(
                name=name,
                credentials=tuple(
                    (one.user, secrets.credential(one.password_file))
                    for one in uem.webhook.credentials
                ),
                format=Format(uem.webhook.format),
                success_status=uem.webhook.success_status,
            )
            for name, uem in settings.uems.items()
            if uem.webhook is not None
        ),
        ca=tuple(
            CaTenant(
                name=name,
                secrets=tuple(secrets.credential(path) for path in ca.webhook.secret_files),
                tolerance=int(ca.webhook.tolerance.total_seconds()),
            )
            for name, ca in settings.cas.items()
            if ca.webhook is not None
        ),
    )


def server(settings: Settings, secrets: Snapshot, around: Surroundings) -> IntakeServer:
    """The webhook listener, not yet open."""
    intake = settings.service.intake
    return IntakeServer(listener(intake), limits(intake), tenants(settings, secrets), around)


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
    """How much anybody may send."""
    return Limits(
        body=intake.body_limit,
        header=intake.header_limit,
        idle=intake.idle_timeout.total_seconds(),
        connections=intake.connections,
        per_address=intake.connections_per_address,
        failed_tries=intake.failed_tries.limit,
        failed_window=intake.failed_tries.window.total_seconds(),
    )
