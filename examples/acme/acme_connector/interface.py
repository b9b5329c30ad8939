"""Acme's interface, which its device management and its CA share: login, answers, refusals."""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connector.core.errors import Permanent, Transient
from connector.core.model import Millis, UpstreamId
from connector.core.ports import RequestPermits
from connector.core.reach import Reach
from connector.core.secret import Credential
from connector.core.upstream import UpstreamSettings
from connector.mounted import read_secret
from connector.upstream import Answer, Codes, Kind, Upstream

Model = TypeVar("Model", bound=BaseModel)
NOTHING: Mapping[str, str] = {}
REFUSED = 400
OWN = frozenset({404, 409})
"""Statuses with which Acme refuses in its own words; any other one means the same everywhere."""


class AcmeSettings(UpstreamSettings):
    """Where Acme is, and how we log in. Address, TLS, proxy and limits are inherited."""

    token_file: Path = Field(description="API token of Acme (a mounted secret).")


class Wire(BaseModel):
    """Something that Acme says. New members are ignored, and no error repeats what was there."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Ping(Wire):
    """The answer to the cheapest request."""

    service: Literal["acme"]


class Refusal(Wire):
    """Acme's own word for a refusal."""

    error: str


class Notice(Wire):
    """One piece of news: what happened to which device or person, and when (Acme's clock)."""

    event: str = Field(max_length=64)
    about: UpstreamId
    at: Millis = Field(ge=0, lt=2**53)


class Notices(Wire):
    """A page of Acme's feed, and where it goes on."""

    events: tuple[Notice, ...]
    next: str
    more: bool


class AcmePlugin:
    """What Acme's target and escrow backend have in common: from opening to an answer.

    It is made in the service, and again in the process of each hand-over; it keeps no state of what
    it was asked.
    """

    name: ClassVar[str] = "acme"
    settings_model: ClassVar[type[BaseModel]] = AcmeSettings
    area: ClassVar[str]
    codes: ClassVar[Codes]
    foreign: ClassVar[str]
    """The code of an answer by a web server or proxy in Acme's place."""

    def __init__(
        self, upstream: str, settings: AcmeSettings, permits: RequestPermits | None = None
    ) -> None:
        self._settings = settings
        self._http = Upstream(upstream, settings, self.codes, permits)
        self._token: Credential | None = None

    def reach(self) -> Reach:
        """Address and files of the settings; a hand-over opens nothing else."""
        return self._settings.reach()

    async def __aenter__(self) -> Self:
        """Read the token, each time: that is how a changed one takes effect."""
        try:
            token = read_secret(self._settings.token_file)
        except Permanent as error:
            raise self._http.misconfigured(f"token_file: {error.detail}") from None
        if not (token.reveal().isascii() and token.reveal().isprintable()):
            raise self._http.misconfigured("token_file: not printable ASCII")  # no header takes it
        self._token = token
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._token = None
        await self._http.__aexit__()

    async def probe(self) -> None:
        """Ask for nothing about a user."""
        self._read(Ping, await self._look("ping"))

    async def notices(self, after: str | None) -> Notices:
        """The news behind a place in Acme's feed, or from its beginning."""
        answer = await self._look("events", query={} if after is None else {"after": after})
        if after is not None and self._word(answer) == "unknown_place":
            return await self.notices(None)  # Acme was set back; what is known changes nothing
        return self._read(Notices, answer)

    def _login(self) -> dict[str, str]:
        if self._token is None:
            raise RuntimeError("using Acme outside its `async with`")
        return {"Authorization": f"Bearer {self._token.reveal()}"}

    async def _look(self, *path: str, query: Mapping[str, str] = NOTHING) -> Answer:
        """Read something. The path is given in parts: no id can name another resource."""
        whole = (self.area, *path)
        return await self._http.look(whole, query=query, headers=self._login(), judged=OWN)

    async def _act(self, method: str, *path: str, body: bytes | bytearray | None = None) -> Answer:
        """Change something; one try."""
        whole = (self.area, *path)
        return await self._http.request(method, whole, headers=self._login(), body=body, judged=OWN)

    def _read(self, model: type[Model], answer: Answer) -> Model:
        """An answer as ``model``; anything else is a fault that says what was being read."""
        try:
            return model.model_validate_json(answer.body)
        except ValidationError:
            raise self._http.fault(Kind.NONSENSE, f"reading a {model.__name__}") from None

    def _word(self, answer: Answer) -> str:
        """Acme's word for a refusal, nothing for a success.

        A refusal without one is not Acme's. It must never be read as "not found": devices would be
        taken for lost, or a copy of keys for gone.
        """
        if answer.status < REFUSED:
            return ""
        try:
            return Refusal.model_validate_json(answer.body).error
        except ValidationError:
            detail = f"reading a refusal: {answer.status} without Acme's own words"
            raise Transient(self.foreign, detail) from None
