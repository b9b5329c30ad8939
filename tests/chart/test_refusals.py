"""Values that cannot be right are refused before anything is installed, with a sentence."""

from pathlib import Path

import pytest

from tests.chart.rendering import KAFKA, SQLITE, refusal

pytestmark = [pytest.mark.chart, pytest.mark.slow]

PRIVATE = "PRIVATE KEY"

BAD: dict[str, tuple[Path | None, tuple[str, ...], str]] = {
    "nothing decided": (None, (), "config: uems is required"),
    "two pods with one file": (
        SQLITE,
        ("replicaCount=2",),
        "one pod owns the file of the sqlite journal; for several pods take journal.kind: kafka",
    ),
    "autoscaling with one file": (
        SQLITE,
        ("autoscaling.enabled=true",),
        "the sqlite journal has one pod; for autoscaling take journal.kind: kafka",
    ),
    "a volume for many": (
        SQLITE,
        ("persistence.accessMode=ReadWriteMany",),
        'persistence.accessMode must be one of the following: "ReadWriteOncePod", "ReadWriteOnce"',
    ),
    "a journal of no kind": (
        SQLITE,
        ("journal.kind=postgres",),
        'journal.kind must be one of the following: "sqlite", "kafka"',
    ),
    "two kinds of journal": (
        KAFKA,
        ("config.journal.type=sqlite",),
        'config.journal.type does not match: "kafka"',
    ),
    "a misspelt value": (SQLITE, ("imagee.tag=1",), "Additional property imagee is not allowed"),
    "a misspelt setting": (
        SQLITE,
        ("config.service.drian=3s",),
        "nothing, because it is not a setting; here are admin, drain, intake, log_level, observe",
    ),
    "a duration without a unit": (
        SQLITE,
        ("config.routes.staff.retention=24",),
        "a duration with its unit, such as 30s, 48h, 14d or PT48H",
    ),
    "a truth value that was meant as a word": (
        SQLITE,
        ("config.uems.corp.archived_mode=false",),
        'must be one of the following: "list-field", "bundle", "off"',
    ),
    "an undecided setting": (
        SQLITE,
        ("config.routes.staff.unknown_set=null",),
        "config.routes.staff.unknown_set: Invalid type. Expected: string, given: null",
    ),
    "a secret as a value": (
        SQLITE,
        ("config.uems.corp.password=geheim",),
        "a secret must not be written into the settings; give the path of a mounted file",
    ),
    "a secret in the values": (
        SQLITE,
        ("secrets.uem.password=geheim",),
        "secrets.uem: Additional property password is not allowed",
    ),
    "a plug-in that is not there": (
        SQLITE,
        ("config.uems.corp.type=workspaceone",),
        'config.uems.corp.type does not match: "workspace_one"',
    ),
    "a UEM that is not there": (
        SQLITE,
        ("config.routes.staff.uem=crop",),
        "config.routes.staff.uem names no entry of uems: take one of corp.",
    ),
    "a file in no volume": (
        SQLITE,
        ("config.audit.key_file=/run/secrets/audti/key",),
        "config.audit.key_file is /run/secrets/audti/key, which no volume has",
    ),
    "two sources of a Secret": (
        SQLITE,
        ("secrets.uem.configMap=other",),
        "secrets.uem has existingSecret and configMap: give it exactly one",
    ),
    "TLS and proxies that end it": (
        SQLITE,
        (
            "config.service.intake.plain_from={10.0.0.0/24}",
            "config.service.intake.tls.certificate_file=/run/secrets/tls/tls.crt",
            "config.service.intake.tls.key_file=/run/secrets/tls/tls.key",
        ),
        "needs either tls or plain_from (addresses of proxies), and not both",
    ),
    "routes without an order": (
        SQLITE,
        ("config.routes.board.uem=corp", "config.routes.board.ca=main"),
        "config.routes.board: identity is required",
    ),
    "an order with a route too few": (
        Path("several-tenants"),
        ("routeOrder={staff,plant}",),
        "routeOrder must list each route once",
    ),
    "no brokers": (
        KAFKA,
        ("config.journal.bootstrap_servers=null",),
        "config.journal.bootstrap_servers: Invalid type. Expected: array, given: null",
    ),
    "a broker without a port": (
        KAFKA,
        ("config.journal.bootstrap_servers={kafka.example.com}",),
        "config.journal.bootstrap_servers.0: Does not match pattern",
    ),
    "a login without a password": (
        KAFKA,
        ("config.journal.security.sasl.password_file=null",),
        'password_file must be one of the following: "needs user and password_file, and no',
    ),
    "a login with a token too many": (
        KAFKA,
        ("config.journal.security.sasl.token_file=/run/secrets/kafka/token",),
        'token_file must be one of the following: null, "needs user and password_file, and no',
    ),
    "more pods than partitions": (
        KAFKA,
        ("autoscaling.enabled=true", "autoscaling.maxReplicas=30"),
        "autoscaling.maxReplicas is 30 and there are 24 partitions",
    ),
    "more fixed pods than partitions": (
        KAFKA,
        ("config.journal.partitions=3",),
        "replicaCount is 4 and there are 3 partitions",
    ),
    "copies of no file": (
        KAFKA,
        ("backup.enabled=true",),
        "the brokers keep the kafka journal, docs/kafka.md says how it is backed up",
    ),
    "a private key for copies": (
        SQLITE,
        (f"backup.publicKey=-----BEGIN {PRIVATE}-----MIIB-----END {PRIVATE}-----",),
        "one public key or certificate in PEM, of which the private key stays elsewhere",
    ),
    "an image that changes": (SQLITE, ("image.tag=latest",), "image.tag is latest"),
    "a digest that is none": (
        SQLITE,
        ("image.digest=sha256:abc",),
        "image.digest: Does not match pattern",
    ),
    "probes that nothing answers": (
        SQLITE,
        ("config.service.observe.listen.host=127.0.0.1", "config.service.observe.listen.port=9464"),
        "config.service.observe.listen.host is a loopback address",
    ),
    "a port that is not known before": (
        SQLITE,
        ("config.service.intake.listen.port=0",),
        "config.service.intake.listen.port is 0",
    ),
    "a demo on a cluster": (
        KAFKA,
        ("demo.enabled=true",),
        "demo.enabled needs journal.kind: sqlite",
    ),
    "an Ingress for no host": (
        SQLITE,
        ("ingress.enabled=true",),
        "ingress.hosts is empty",
    ),
}


@pytest.mark.parametrize(("values", "given", "told"), BAD.values(), ids=list(BAD))
def test_bad_values_are_refused(values: Path | None, given: tuple[str, ...], told: str) -> None:
    """Each by what is wrong, at its place; another fault must not be what stops it."""
    file = (
        values
        if values is None or values.is_absolute()
        else SQLITE.with_name(f"{values}-values.yaml")
    )
    options = [part for one in given for part in ("--set", one)]
    assert told in refusal(file, *options)
