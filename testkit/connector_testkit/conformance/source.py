"""What every source must do, for any dialect; authors of a plug-in subclass the suite.

The subclass gives a fixture ``stage``, a :class:`SourceStage` of its dialect::

    class TestMySource(SourceConformance):
        @pytest.fixture
        def stage(self) -> MyStage:
            return MyStage()
"""

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, NamedTuple, Protocol

import pytest
from pydantic import ValidationError

from connector.core.errors import Rejected
from connector.core.events import Event
from connector.core.model import Millis
from connector.core.source import NO_CREDENTIALS, Caller, Head, Sender, Source

NOW: Millis = 1_772_700_000_000
HOUR: Millis = 3_600_000
SENDERS = ("first", "second")
LABEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
NOISE = (b"", b"{", b"[]", b"null", b"\x00\xff\xfe", b"<a/>", b"<a", b'{"a":' * 2000, b"1" * 5000)


class Posted(NamedTuple):
    """One request as its sender makes it."""

    headers: Mapping[str, str]
    body: bytes


class SourceStage(Protocol):
    """What the suite needs of a dialect. Every sender has two secrets that are valid at once."""

    source: ClassVar[type[Source]]
    settings: ClassVar[Mapping[str, object]]
    """A good section ``webhook``, for the settings model."""

    def sender(self, name: str) -> Sender:
        """A sender as configured, with secrets of its own."""
        ...

    def post(self, sender: str, body: bytes, *, secret: int = 0) -> Posted:
        """A body as ``sender`` posts it, proved by its secret number 0 or 1."""
        ...

    def news(self, number: int) -> bytes:
        """The body of a notification that means an event; each number means another one."""
        ...

    def chatter(self) -> bytes:
        """The body of a well-formed notification that means nothing to us."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Every secret of every sender, as it would be found in a text."""
        ...


class SourceConformance:
    """Cases that hold for every source."""

    @pytest.fixture
    def made(self, stage: SourceStage) -> Source:
        """The source with two senders."""
        return stage.source([stage.sender(name) for name in SENDERS])

    def test_capabilities_are_declared(self, stage: SourceStage) -> None:
        """Label, challenge, code and event kinds are there, as metrics and answers need them."""
        declared = stage.source.capabilities
        assert declared.webhook
        assert LABEL.fullmatch(declared.label)
        assert declared.challenge
        assert declared.failed_code != NO_CREDENTIALS
        assert declared.event_kinds

    def test_settings_refuse_what_they_do_not_know(self, stage: SourceStage) -> None:
        """A misspelt setting is found, not ignored."""
        model = stage.source.settings_model
        model.model_validate(stage.settings)
        with pytest.raises(ValidationError):
            model.model_validate({**stage.settings, "no_such_setting": 1})

    @pytest.mark.parametrize("secret", [0, 1])
    @pytest.mark.parametrize("sender", SENDERS)
    def test_each_secret_lets_its_sender_in(
        self, stage: SourceStage, made: Source, sender: str, secret: int
    ) -> None:
        """Two are valid at once, so that one can be changed without a gap."""
        event = received(made, sender, stage.post(sender, stage.news(1), secret=secret))
        assert event is not None
        assert event.tenant == sender
        assert event.subject.startswith(f"{sender}/")

    def test_event_is_of_this_source_and_not_of_the_future(
        self, stage: SourceStage, made: Source
    ) -> None:
        """Label, declared kind, and times that are at most ours."""
        event = received(made, "first", stage.post("first", stage.news(1)))
        assert event is not None
        assert event.source == made.capabilities.label
        assert event.body.kind in made.capabilities.event_kinds
        assert event.received_at == NOW
        assert event.occurred_at is None or event.occurred_at <= NOW

    def test_same_news_is_the_same_event(self, stage: SourceStage, made: Source) -> None:
        """Whenever it is read; other news and another sender's news are other events."""
        posted = stage.post("first", stage.news(1))
        ids = [
            _id(received(made, "first", posted)),
            _id(received(made, "first", posted, read_at=NOW + HOUR)),
            _id(received(made, "first", stage.post("first", stage.news(2)))),
            _id(received(made, "second", stage.post("second", stage.news(1)))),
        ]
        assert ids[0] == ids[1]
        assert len(set(ids)) == len(ids) - 1

    def test_news_without_meaning_is_no_event(self, stage: SourceStage, made: Source) -> None:
        """It is read, and nothing is kept."""
        assert received(made, "first", stage.post("first", stage.chatter())) is None

    def test_missing_credentials_are_asked_for(self, made: Source) -> None:
        """A sender may wait for the challenge."""
        with pytest.raises(Rejected) as refused:
            received(made, "first", Posted({}, b"{}"))
        assert refused.value.code == NO_CREDENTIALS

    @pytest.mark.parametrize("address", ["second", "nobody", ""])
    def test_a_sender_acts_only_for_itself(
        self, stage: SourceStage, made: Source, address: str
    ) -> None:
        """Another sender's address and an unknown one are refused by the same code."""
        with pytest.raises(Rejected) as refused:
            received(made, address, stage.post("first", stage.news(1)))
        assert refused.value.code == made.capabilities.failed_code

    def test_wrong_proof_is_refused(self, stage: SourceStage, made: Source) -> None:
        """Each header that proves the sender counts: with one bent, the caller is not known."""
        good = stage.post("first", stage.news(1))
        names = [name for name in good.headers if name.lower() != "content-type"]
        assert names
        for name in names:
            bent = {**good.headers, name: good.headers[name][:-2] + "AA"}
            with pytest.raises(Rejected) as refused:
                received(made, "first", Posted(bent, good.body))
            assert refused.value.code == made.capabilities.failed_code

    @pytest.mark.parametrize("body", NOISE)
    def test_noise_is_refused_or_means_nothing(
        self, stage: SourceStage, made: Source, body: bytes
    ) -> None:
        """A malformed body of a known sender raises no other error than a refusal by code."""
        code = "EVT-001"
        try:
            assert received(made, "first", stage.post("first", body)) is None
        except Rejected as refused:
            code = refused.code
        assert code in {"EVT-001", "EVT-004"}

    def test_other_media_types_are_refused(self, stage: SourceStage, made: Source) -> None:
        """What a sender does not use is not guessed at."""
        good = stage.post("first", stage.news(1))
        with pytest.raises(Rejected) as refused:
            received(
                made, "first", Posted({**good.headers, "Content-Type": "text/html"}, good.body)
            )
        assert refused.value.code == "EVT-004"

    def test_no_secret_is_shown(self, stage: SourceStage, made: Source) -> None:
        """Neither by a repr of the source, its senders and callers, nor by what is refused."""
        texts = [repr(made), *(repr(stage.sender(name)) for name in SENDERS)]
        texts += map(repr, _known(made, stage))
        with pytest.raises(Rejected) as refused:
            received(made, "second", stage.post("first", stage.news(1)))
        texts += [str(refused.value), repr(refused.value)]
        for secret in stage.secrets():
            assert not any(secret in text for text in texts)


class _Headers(dict[str, str]):
    """Headers whose names are found in any case, as the listener gives them."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in given.items()})

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        return super().get(name.lower(), default)


def received(source: Source, sender: str, posted: Posted, *, read_at: Millis = NOW) -> Event | None:
    """What becomes of a request, step by step as the listener does it."""
    caller = _caller(source, Head(sender, _Headers(posted.headers)), posted.body)
    return caller.event(posted.body, read_at)


def _caller(source: Source, head: Head, body: bytes) -> Caller:
    caller = source.caller(head) or source.verified(head, body, NOW)
    caller.expect()
    return caller


def _known(source: Source, stage: SourceStage) -> Iterator[Caller]:
    for name in SENDERS:
        posted = stage.post(name, stage.news(1))
        yield _caller(source, Head(name, _Headers(posted.headers)), posted.body)


def _id(event: Event | None) -> str:
    assert event is not None
    return event.id
