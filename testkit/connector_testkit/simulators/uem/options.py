"""What a simulated UEM is started with, and the switches that may be turned while it runs.

Everything that is only assumed about the real product (no public source shows it) is a switch here,
with the safest guess as its default. A customer's finding can be reproduced without a code change.
"""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ZERO = timedelta(0)


def _loopback(host: str) -> str:
    if not ip_address(host).is_loopback:
        raise ValueError("must be a loopback address: the control interface shows secrets")
    return host


class WebhookTarget(BaseModel):
    """Where event notifications go, as on the console's page of the same name.

    ``retries`` (with ``retry_pause`` between them) is 0: the product was never seen to retry.
    ``parallel`` is the number of posts under way at once; above 1 the order is left to chance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    user: str
    password_file: Path
    ca_file: Path | None = None
    format: Literal["json", "xml"] = "json"
    xml_content_type: str = "application/xml; charset=utf-8"
    timeout: timedelta = timedelta(seconds=30)
    parallel: int = Field(default=1, ge=1, le=64)
    retries: int = Field(default=0, ge=0, le=1000)
    retry_pause: timedelta = timedelta(seconds=1)


class Behaviour(BaseModel):
    """The switches. Each may be changed while the simulator runs (``PATCH /_sim/options``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retention: timedelta | None = Field(default=timedelta(hours=1), gt=ZERO)
    """How long a user's set is kept; None: it is never purged."""
    retention_from: Literal["upload", "install"] = "upload"
    """What the retention is counted from: the upload, or the set's first installation."""
    keeps_uploads: bool = True
    """False: "retain S/MIME certificate" is off; an upload succeeds and nothing is kept."""
    archived_member: str = "ArchivedCertificates"
    """Name of the upload's member with the earlier encryption pairs."""
    archived_mode: Literal["list-field", "bundle", "off"] = "list-field"
    """Earlier pairs: in that member, as more pairs of the encryption PKCS#12, or ignored."""
    check_uploads: Literal["full", "sample", "none"] = "full"
    """Which PKCS#12 are opened (25 ms per RSA key): all; every 20th upload; none, only counted."""
    upload_status: Literal[200, 201, 202, 204] = 200
    """Status of a successful upload."""
    unknown_user_status: Literal[400, 404] = 404
    """Status when an upload or a look-up names an unknown user."""
    install_delay: timedelta = Field(default=timedelta(milliseconds=500), ge=ZERO)
    """From the push of a profile until the device fetched it and reported it as installed."""
    sent_status: Literal[1, 2] = 1
    """Profile status between push and report."""
    pushes_on_upload: bool = False
    """Whether a re-upload pushes an already installed profile again by itself."""
    certificate_platforms: tuple[str, ...] = ("Apple", "AppleOsX")
    """Platforms whose devices report the list of their certificates."""
    sampled_on: Literal["install", "query"] = "install"
    """When that list is sampled: with each installation too, or only when a query is sent."""
    empty_profile_answers: float = Field(default=0.0, ge=0, le=1)
    """Share of device profile look-ups that are answered with an empty body."""
    page_limit: int = Field(default=500, ge=1)
    """Largest page of a search, also when more was asked for."""
    date_format: Literal["fixed", "random"] = "fixed"
    """Dates in the usual shape, or each in one of the shapes that were seen in the field."""
    daily_limit: int | None = Field(default=250_000, ge=1)
    """Announced request budget per day; None: no ``X-RateLimit`` headers."""
    enforces_limit: bool = False
    """Whether requests over the budget are answered 429."""
    requests_per_second: int | None = Field(default=None, ge=1)
    """Requests taken in any second of the machine's time; one more is answered 429."""
    throttle_header: bool = True
    """Whether such a 429 says with ``Retry-After`` when to come back, in whole seconds."""
    error_format: Literal["json", "xml", "html"] = "json"
    """What error objects are written in; ``html``: a page of the web server instead of them."""
    error_members: Literal["errorCode", "ErrorCode"] = "errorCode"
    """How the members of an error object begin; both were seen."""
    search_leaves_out: int = Field(default=0, ge=0)
    """How many of the devices that fit a search leaves out, the newest first, and does not count.
    """
    interface_lag: timedelta = Field(default=ZERO, ge=ZERO)
    """For how long after an enrolment the interface does not know it yet; its event is posted."""
    lag_shows: Literal["nothing", "registered"] = "nothing"
    """What the interface shows meanwhile: no such device, or one with the status "Registered"."""
    unenrol_user_id: Literal["zero", "kept"] = "zero"
    """What an unenrolment event carries as the user's id."""
    compromised_event_at_enrolment: bool = False
    """Whether an enrolment also posts "Compromised Status Changed"."""


class UemOptions(Behaviour):
    """All that a simulator is started with.

    ``directory`` gets the TLS files (``ca.pem`` is what a client must trust). Secrets come as
    files. Port 0 takes a free one. ``seed`` fixes every die that the simulator throws.
    """

    directory: Path
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    control_host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    control_port: int = Field(default=0, ge=0, le=65535)
    api_user: str = "svc.pki"
    password_file: Path
    tenant_code_file: Path
    group: str = "Example AG"
    body_limit: int = Field(default=4 * 1024 * 1024, ge=1024)
    ledger_limit: int = Field(default=200_000, ge=1)
    webhook: WebhookTarget | None = None
    seed: int = 1

    @model_validator(mode="after")
    def _secrets_are_there(self) -> Self:
        for path in (self.password_file, self.tenant_code_file):
            if not path.is_file():
                raise ValueError(f"no such file: {path.name}")
        return self

    def behaviour(self) -> Behaviour:
        """The switches alone."""
        return Behaviour(**self.model_dump(include=set(Behaviour.model_fields)))


def read_secret(path: Path) -> str:
    """A mounted secret: the file's text without the line end. Raises ``OSError``."""
    return path.read_text(encoding="utf-8").rstrip("\r\n")
