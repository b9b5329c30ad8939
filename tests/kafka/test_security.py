"""Logging in at a real broker, in every form; what stands in the way is said clearly."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from pydantic import ValidationError

from connector.core.errors import ConnectorError, Permanent, Transient
from connector.journal.kafka.cluster import administration
from connector.journal.kafka.security import Access
from connector.journal.settings import KafkaSettings
from connector_testkit.simulators.tls import issue_tls
from tests.kafka.conftest import single
from tests.kafka.guarded import KEEPER, GuardedBrokers, secured

Reached = Callable[..., KafkaSettings]
USERS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.fixture
def at(guarded: GuardedBrokers) -> Reached:
    """Options for a guarded listener with some security settings."""

    def make(listener: str, **security: Any) -> KafkaSettings:
        where = secured(guarded.brokers, listener, **security)
        return single(guarded.brokers, "unused", **where, request_timeout="5s")

    return make


@pytest.fixture
def ca(guarded: GuardedBrokers) -> dict[str, str]:
    return {"ca_file": str(guarded.keys.tls.ca)}


@pytest.fixture
def login(guarded: GuardedBrokers, tmp_path: Path) -> Path:
    """A mounted password."""
    file = tmp_path / "password"
    file.write_text(guarded.keys.passwords[KEEPER] + "\n")
    return file


@pytest.fixture
def every_line(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, as with log_level debug."""
    caplog.set_level(logging.DEBUG)
    return caplog


def mount(file: Path, text: str) -> str:
    """Put a secret where it is mounted; what was there before."""
    before = file.read_text() if file.exists() else ""
    file.write_text(text)
    return before


async def works(options: KafkaSettings) -> bool:
    """Whether a client gets in and may look."""
    async with administration(options) as admin:
        return len((await admin.describe_cluster())["brokers"]) == 1


async def refusal(options: KafkaSettings) -> ConnectorError:
    """How it is refused."""
    with pytest.raises(ConnectorError) as refused:
        await works(options)
    return refused.value


async def test_tls(at: Reached, ca: dict[str, str]) -> None:
    """A broker whose issuer is known is spoken to inside TLS."""
    assert await works(at("TLS", tls=ca))


async def test_a_broker_of_another_issuer_is_refused(at: Reached, tmp_path: Path) -> None:
    """Nothing is sent to a broker whose certificate has another issuer."""
    other = issue_tls(tmp_path / "other").ca
    error = await refusal(at("TLS", tls={"ca_file": str(other)}))
    assert isinstance(error, Permanent)
    assert error.code == "KAF-003"
    assert "certificate" in error.detail


async def test_a_broker_under_another_name_is_refused(at: Reached, ca: dict[str, str]) -> None:
    """The certificate must be for the host that was asked for."""
    options = at("TLS", tls=ca)
    other = options.bootstrap_servers[0].replace("127.0.0.1", "localhost")
    error = await refusal(options.model_copy(update={"bootstrap_servers": (other,)}))
    assert error.code == "KAF-003"


async def test_mutual_tls(at: Reached, ca: dict[str, str], guarded: GuardedBrokers) -> None:
    """A listener that asks for a certificate takes ours, and refuses clients without one."""
    tls = guarded.keys.tls
    client = {
        "certificate_file": str(tls.client_certificate),
        "key_file": str(tls.client_key),
    }
    assert await works(at("MUTUAL", tls=ca | {"client": client}))
    error = await refusal(at("MUTUAL", tls=ca))
    assert error.code == "KAF-003"


@pytest.mark.parametrize("mechanism", USERS)
async def test_user_and_password(
    mechanism: str, at: Reached, ca: dict[str, str], login: Path
) -> None:
    """PLAIN and both SCRAM mechanisms, inside TLS, with the password from a file."""
    sasl = {"mechanism": mechanism, "user": KEEPER, "password_file": str(login)}
    assert await works(at("SASL", tls=ca, sasl=sasl))


@pytest.mark.parametrize("mechanism", USERS)
async def test_a_wrong_password_is_a_clear_fault(
    mechanism: str,
    at: Reached,
    ca: dict[str, str],
    login: Path,
    every_line: pytest.LogCaptureFixture,
) -> None:
    """It says that the login is refused; neither error nor log has the password."""
    mount(login, "marker-wrong-password")
    sasl = {"mechanism": mechanism, "user": KEEPER, "password_file": str(login)}
    error = await refusal(at("SASL", tls=ca, sasl=sasl))
    assert isinstance(error, Permanent)
    assert error.code == "KAF-002"
    assert "marker" not in f"{error!r} {error} {every_line.text}"


async def test_a_token(
    at: Reached, ca: dict[str, str], guarded: GuardedBrokers, tmp_path: Path
) -> None:
    """OAUTHBEARER with a token from a file; an expired one is refused, a fresh one taken."""
    file = tmp_path / "token"
    options = at("SASL", tls=ca, sasl={"mechanism": "OAUTHBEARER", "token_file": str(file)})
    file.write_text(guarded.keys.signer.token(lasts=timedelta(hours=-1)))
    assert (await refusal(options)).code == "KAF-002"
    file.write_text(guarded.keys.signer.token())
    assert await works(options)


async def test_no_login_shows_in_any_log_line(
    at: Reached,
    ca: dict[str, str],
    guarded: GuardedBrokers,
    login: Path,
    tmp_path: Path,
    every_line: pytest.LogCaptureFixture,
) -> None:
    """With every log line on, neither password nor token is in one, nor in a repr."""
    token = tmp_path / "token"
    token.write_text(guarded.keys.signer.token())
    for sasl in (
        {"mechanism": "PLAIN", "user": KEEPER, "password_file": str(login)},
        {"mechanism": "OAUTHBEARER", "token_file": str(token)},
    ):
        options = at("SASL", tls=ca, sasl=sasl)
        assert await works(options)
        shown = f"{options!r} {Access(options)!r} {every_line.text}"
        assert guarded.keys.passwords[KEEPER] not in shown
        assert token.read_text() not in shown


async def test_a_rotated_password_counts_without_a_restart(
    at: Reached, ca: dict[str, str], login: Path
) -> None:
    """A client that is there logs in with what lies in the file when it was renewed."""
    right = mount(login, "not yet")
    sasl = {"mechanism": "SCRAM-SHA-256", "user": KEEPER, "password_file": str(login)}
    access = Access(at("SASL", tls=ca, sasl=sasl))
    client = AIOKafkaClient(**access.client_arguments())
    with pytest.raises(KafkaConnectionError):
        await client.bootstrap()
    mount(login, right)
    access.renew([client])
    await client.bootstrap()
    assert client.cluster.brokers()
    await client.close()


async def test_a_rotated_certificate_counts_without_a_restart(
    at: Reached, ca: dict[str, str], guarded: GuardedBrokers, tmp_path: Path
) -> None:
    """A client that is there shows the certificate that lies in the file when it was renewed."""
    mounted = issue_tls(tmp_path / "mounted", client="stranger")
    assert mounted.client_certificate is not None
    assert mounted.client_key is not None
    pair = {
        "certificate_file": str(mounted.client_certificate),
        "key_file": str(mounted.client_key),
    }
    access = Access(at("MUTUAL", tls=ca | {"client": pair}))
    client = AIOKafkaClient(**access.client_arguments())
    with pytest.raises(KafkaConnectionError):
        await client.bootstrap()
    tls = guarded.keys.tls
    assert tls.client_certificate is not None
    assert tls.client_key is not None
    mounted.client_certificate.write_bytes(tls.client_certificate.read_bytes())
    mounted.client_key.write_bytes(tls.client_key.read_bytes())
    access.renew([client])
    await client.bootstrap()
    assert client.cluster.brokers()
    await client.close()


async def test_a_cluster_that_is_not_there_may_come_back(at: Reached, unused_tcp_port: int) -> None:
    """No process listens: that passes by itself, so it is transient."""
    options = at("TLS").model_copy(update={"bootstrap_servers": (f"127.0.0.1:{unused_tcp_port}",)})
    error = await refusal(options)
    assert isinstance(error, Transient)
    assert error.code == "KAF-001"


@pytest.mark.parametrize("content", [None, "", "\udcff"])
async def test_a_password_that_cannot_be_read_is_told(
    content: str | None, at: Reached, ca: dict[str, str], tmp_path: Path
) -> None:
    """Missing, empty, or no text: the file is named, never its content."""
    file = tmp_path / "password"
    if content is not None:
        file.write_text(content, errors="surrogateescape")
    sasl = {"mechanism": "PLAIN", "user": KEEPER, "password_file": str(file)}
    error = await refusal(at("SASL", tls=ca, sasl=sasl))
    assert error.code == "CFG-003"
    assert str(file) in error.detail


async def test_a_key_that_does_not_fit_is_told(
    at: Reached, ca: dict[str, str], guarded: GuardedBrokers
) -> None:
    """Certificate and key must belong together."""
    tls = guarded.keys.tls
    client = {"certificate_file": str(tls.client_certificate), "key_file": str(tls.key)}
    assert (await refusal(at("MUTUAL", tls=ca | {"client": client}))).code == "CFG-003"


LOCAL = {"type": "kafka", "bootstrap_servers": ("127.0.0.1:9092",)}
FAR = LOCAL | {"bootstrap_servers": ("kafka.example.com:9092",)}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (FAR, "security.tls is needed"),
        ({"security": {"sasl": {"mechanism": "PLAIN", "user": "x"}}}, "password_file"),
        ({"security": {"sasl": {"mechanism": "OAUTHBEARER", "user": "x"}}}, "token_file"),
        ({"replication": 1, "min_insync_replicas": 2}, "min_insync_replicas"),
        ({"ids_kept": "15d"}, "retention.events"),
    ],
)
def test_options_that_contradict_themselves_are_refused(wrong: dict[str, Any], says: str) -> None:
    """Such as brokers on other machines without TLS."""
    with pytest.raises(ValidationError, match=says):
        KafkaSettings.model_validate(LOCAL | wrong)


def test_plain_text_to_other_machines_must_be_said() -> None:
    """With the setting that says so."""
    options = FAR | {"security": {"accept_plain_text": True}}
    assert KafkaSettings.model_validate(options).security.tls is None
