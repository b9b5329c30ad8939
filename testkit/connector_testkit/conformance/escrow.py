"""The suite that an escrow backend must pass.

Subclass it, give it a world, and prove that its cases were collected::

    class TestMyEscrow(EscrowConformance):
        @pytest.fixture
        async def world(self) -> AsyncIterator[EscrowWorld]:
            async with my_ca() as world:
                yield world


    def test_the_suite_was_collected(request: pytest.FixtureRequest) -> None:
        assert_collected(request.node.parent, EscrowConformance)

What a backend cannot do goes into ``waivers`` with the reason; a waived case runs and must fail.
"""

import asyncio
import hashlib
import logging
from itertools import pairwise
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from pydantic import BaseModel

from connector.core.errors import Family, Scope
from connector.core.key_material import KeyMaterial, allow_key_material
from connector.core.model import RequestState
from connector.core.ports import EscrowCapabilities
from connector_testkit.conformance.escrow_world import (
    PASSWORD,
    EscrowWorld,
    asked,
    failure,
    granted,
    open_ids,
    password,
)

PATIENCE = 0.2
UNKNOWN_REQUEST = "ffffffff-ffff-4fff-8fff-ffffffffffff"


class EscrowConformance:
    """The cases. ``waivers``: name of a case → why this backend cannot pass it."""

    waivers: ClassVar[dict[str, str]] = {}

    @pytest.fixture
    def world(self) -> EscrowWorld:
        raise LookupError("overriding the fixture `world` in the subclass is required")

    @pytest.fixture(autouse=True)
    def _rules(self, request: pytest.FixtureRequest) -> None:
        """Let this process hold keys, and expect waived cases to fail."""
        allow_key_material()
        reason = self.waivers.get(request.function.__name__)
        if reason is not None:
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))

    def test_waivers_are_for_cases_that_exist(self) -> None:
        assert not [name for name in self.waivers if not hasattr(EscrowConformance, name)]

    def test_what_a_plug_in_declares_is_there(self, world: EscrowWorld) -> None:
        plugin = type(world.backend())
        assert plugin.name
        assert issubclass(plugin.settings_model, BaseModel)
        assert plugin.settings_model.model_config.get("extra") == "forbid"
        assert isinstance(plugin.capabilities, EscrowCapabilities)

    def test_what_it_opens_is_declared(self, world: EscrowWorld) -> None:
        reach = world.backend().reach()
        assert reach.hosts or reach.sockets or reach.libraries

    async def test_the_whole_history_is_listed(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            found = await backend.list(world.person)
        assert found.person.person == world.person
        assert all(name == name.lower() for name in found.person.attributes)
        listed = [entry.generation.fingerprint for entry in found.certificates]
        assert sorted(listed) == sorted(world.fingerprints)

    async def test_what_is_listed_is_what_the_certificate_says(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            found = await backend.list(world.person)
        for entry in found.certificates:
            leaf = x509.load_der_x509_certificate(entry.certificate)
            public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            assert entry.generation.fingerprint == hashlib.sha256(entry.certificate).hexdigest()
            assert entry.generation.public_key == hashlib.sha256(public).hexdigest()
            assert int(entry.generation.serial, 16) == leaf.serial_number
            assert entry.generation.not_after == leaf.not_valid_after_utc.timestamp() * 1000

    async def test_a_chain_is_in_order(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            found = await backend.list(world.person)
        for entry in found.certificates:
            chain = [entry.certificate, *entry.chain]
            certificates = [x509.load_der_x509_certificate(der) for der in chain]
            assert len(certificates) > 1
            for subject, issuer in pairwise(certificates):
                subject.verify_directly_issued_by(issuer)

    async def test_each_key_fits_the_certificate_asked_for(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            for place, fingerprint in enumerate(world.fingerprints):
                recovery = await granted(world, backend, place)
                with password() as secret:
                    bundle = await backend.fetch(recovery.id, fingerprint, secret)
                opened = pkcs12.load_pkcs12(bytes(bundle.reveal()), PASSWORD)
                await backend.clean_up(recovery.id)
                assert opened.key is not None
                assert opened.cert is not None
                leaf = opened.cert.certificate
                digest = hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest()
                assert digest == fingerprint or backend.capabilities.reissues
                assert leaf.public_key() == opened.key.public_key()

    async def test_a_bundle_opens_under_its_password_only(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            recovery = await granted(world, backend)
            with password() as secret:
                bundle = await backend.fetch(recovery.id, recovery.fingerprint, secret)
        for wrong in (None, b"", PASSWORD[::-1]):
            with pytest.raises(ValueError, match="password"):
                pkcs12.load_pkcs12(bytes(bundle.reveal()), wrong)

    async def test_the_same_id_asks_once(self, world: EscrowWorld) -> None:
        await world.ask_people()
        async with world.backend() as backend:
            states = [await backend.begin(asked(world)) for _ in range(2)]
            assert states == [RequestState.PENDING] * 2
            assert await open_ids(backend, world.person) == [asked(world).id]

    async def test_an_id_stays_with_its_generation(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            await backend.begin(asked(world, 0))
            other = asked(world, 1).model_copy(update={"id": asked(world, 0).id})
            error = await failure(backend.begin(other))
        assert error.family is Family.PERMANENT
        assert error.scope is Scope.SUBJECT

    async def test_an_unknown_person_is_a_clear_refusal(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            for verb in (backend.list, backend.find_open):
                error = await failure(verb("nobody.at.all"))
                assert (error.code, error.family) == ("CA-404", Family.PERMANENT)

    async def test_a_name_is_no_pattern(self, world: EscrowWorld) -> None:
        name = world.person
        others = (name[:-1], name + "x", f"{name[:3]}*", f"{name}/../{name}", "%", "..")
        async with world.backend() as backend:
            for other in others:
                error = await failure(backend.list(other))
                assert (error.family, error.scope) == (Family.PERMANENT, Scope.SUBJECT)

    async def test_an_unknown_request_is_gone(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            assert await backend.look(UNKNOWN_REQUEST) is RequestState.GONE
            await backend.clean_up(UNKNOWN_REQUEST)
            with password() as secret:
                fetch = backend.fetch(UNKNOWN_REQUEST, world.fingerprints[0], secret)
                error = await failure(fetch)
        assert (error.code, error.family) == ("CA-409", Family.TRANSIENT)

    async def test_no_key_before_the_grant(self, world: EscrowWorld) -> None:
        await world.ask_people()
        async with world.backend() as backend:
            recovery = asked(world)
            assert await backend.begin(recovery) is RequestState.PENDING
            with password() as secret:
                fetch = backend.fetch(recovery.id, recovery.fingerprint, secret)
                error = await failure(fetch)
            assert (error.code, error.family) == ("CA-409", Family.TRANSIENT)
            await world.decide(recovery.id, grant=False)
            assert await backend.look(recovery.id) is RequestState.DENIED

    async def test_a_fetch_is_for_one_generation(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            recovery = await granted(world, backend, 0)
            with password() as secret:
                error = await failure(backend.fetch(recovery.id, world.fingerprints[1], secret))
        assert error.family is Family.PERMANENT

    async def test_cleaning_up_ends_a_request(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            recovery = await granted(world, backend)
            for _ in range(2):
                await backend.clean_up(recovery.id)
            assert await backend.look(recovery.id) in {RequestState.GONE, RequestState.EXPIRED}
            assert await open_ids(backend, world.person) == []

    async def test_a_cancelled_act_can_be_finished(self, world: EscrowWorld) -> None:
        await world.ask_people()
        await world.stall()
        async with world.backend() as backend, asyncio.TaskGroup() as tasks:
            begin = tasks.create_task(backend.begin(asked(world)))
            await world.stalled()
            begin.cancel()
        await world.recover()
        async with world.backend() as backend:
            assert await backend.begin(asked(world)) is RequestState.PENDING
            assert await open_ids(backend, world.person) == [asked(world).id]

    async def test_a_deadline_of_the_caller_is_honoured(self, world: EscrowWorld) -> None:
        await world.stall()
        async with world.backend() as backend:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await backend.list(world.person)

    async def test_a_ca_that_is_away_is_nobodys_fault(self, world: EscrowWorld) -> None:
        await world.go_away()
        async with world.backend() as backend:
            for look in (backend.list(world.person), backend.probe()):
                error = await failure(look)
                assert (error.family, error.scope) == (Family.TRANSIENT, Scope.UPSTREAM)
                assert error.upstream is not None

    async def test_refused_credentials_concern_the_whole_route(self, world: EscrowWorld) -> None:
        async with world.stranger() as backend:
            for look in (backend.list(world.person), backend.probe()):
                error = await failure(look)
                assert error.scope is Scope.UPSTREAM
                assert error.upstream is not None

    async def test_a_ca_that_is_there_answers_a_probe(self, world: EscrowWorld) -> None:
        async with world.backend() as backend:
            await backend.probe()

    async def test_closing_twice_and_opening_again(self, world: EscrowWorld) -> None:
        backend = world.backend()
        for _ in range(2):
            async with backend:
                await backend.list(world.person)
            await backend.__aexit__(None, None, None)

    async def test_what_was_fetched_can_be_fetched_again_or_it_is_declared(
        self, world: EscrowWorld
    ) -> None:
        async with world.backend() as backend:
            recovery = await granted(world, backend)
            with password() as secret:
                await backend.fetch(recovery.id, recovery.fingerprint, secret)
                again = backend.fetch(recovery.id, recovery.fingerprint, secret)
                if backend.capabilities.single_use:
                    assert (await failure(again)).code == "CA-409"
                else:
                    assert len(await again) > 0

    async def test_secrets_stay_inside(
        self,
        world: EscrowWorld,
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        caplog.set_level(logging.DEBUG)
        backend = world.backend()
        shown = [repr(backend)]
        async with backend:
            recovery = await granted(world, backend)
            with password() as secret:
                bundle = await backend.fetch(recovery.id, recovery.fingerprint, secret)
            shown += [repr(bundle), str(bundle), f"{bundle}"]
            with password() as secret:
                error = await failure(backend.fetch(UNKNOWN_REQUEST, recovery.fingerprint, secret))
            shown += [repr(error), str(error), error.fault().model_dump_json(), repr(backend)]
        shown += [caplog.text, *capfd.readouterr()]
        for marker in (*world.secrets, PASSWORD.decode(), *_pieces(bundle)):
            assert not any(marker in text for text in shown), "a secret came to light"


def _pieces(bundle: KeyMaterial) -> list[str]:
    """The private key of a bundle as it might be printed."""
    key = pkcs12.load_pkcs12(bytes(bundle.reveal()), PASSWORD).key
    assert key is not None
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return [*pem.splitlines()[1:-1], bytes(bundle.reveal())[-32:].hex()]
