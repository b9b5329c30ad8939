"""How a simulated CA is started, and the closed sets that its commands use."""

from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


class KeyAlgorithm(StrEnum):
    """Kinds of subject keys. RSA-1024 is for archived generations of long ago.

    The last two are kinds that no mail client can use from a PKCS#12.
    """

    RSA_1024 = "rsa-1024"
    RSA_2048 = "rsa-2048"
    RSA_3072 = "rsa-3072"
    RSA_4096 = "rsa-4096"
    EC_P256 = "ec-p256"
    EC_P384 = "ec-p384"
    EC_K256 = "ec-k256"
    ED25519 = "ed25519"


def _loopback(host: str) -> str:
    if host != "localhost" and not ip_address(host).is_loopback:
        raise ValueError("the control API has no authentication; it listens on loopback only")
    return host


class Options(BaseModel):
    """A frozen record that refuses members it does not know and never echoes its input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class WebhookOptions(Options):
    """Where notifications go: URL, file with the ``whsec_…`` secret, CA bundle for https."""

    url: str
    secret_file: Path
    ca_file: Path | None = None


class CaOptions(Options):
    """All options of a simulated CA.

    ``directory`` gets the TLS files of :mod:`connector_testkit.simulators.tls` and ``issuers.pem``
    (the certificates of the issuing CA and its root). Port 0 means any free port. ``approval``:
    whether recovery requests wait for a decision. ``fixed_password``: bundles under this password
    are encoded once and kept (for benchmarks). ``reuse_keys``: maximum number of different default
    keys are made and then dealt out again and again (for benchmarks).
    """

    directory: Path
    listen_host: str = "127.0.0.1"
    listen_port: int = Field(default=0, ge=0, le=65535)
    control_host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    control_port: int = Field(default=0, ge=0, le=65535)
    client_name: str = "pki-connector"
    webhook: WebhookOptions | None = None
    key_algorithm: KeyAlgorithm = KeyAlgorithm.RSA_2048
    key_pool: int = Field(default=4, ge=1, le=64)
    reuse_keys: int | None = Field(default=None, ge=1)
    kdf_rounds: int = Field(default=2048, ge=1, le=1_000_000)
    fixed_password: SecretStr | None = None
    approval: bool = False
    seed: int = 0
