"""Which of a person's generations make up one set. Pure: parent and hand-over child agree by it."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import Field

from connector.core.addresses import canonical_address, canonical_addresses
from connector.core.errors import Permanent
from connector.core.model import (
    Generation,
    Millis,
    PersonRecord,
    Record,
    SetEntry,
    Sha256Hex,
    Slot,
    set_digest,
)

MINIMUM_CURRENT_RSA = 2048
MINIMUM_ARCHIVED_RSA = 1024


class SigningPolicy(StrEnum):
    """What happens with the signing pair."""

    REQUIRED = "required"
    IF_ESCROWED = "if_escrowed"
    NEVER = "never"


class SelectionRules(Record):
    """The parts of a route that decide on the set.

    ``archived``: whether the target is sent archived generations. ``accept_incomplete_history``:
    whether a holder with several generations may be served without them. ``dropped``: fingerprints
    of encryption generations that a person dropped by name. ``delivered``: fingerprints of the
    encryption generations that were delivered before, by public key; the set must contain each key.
    """

    signing: SigningPolicy
    archived: bool = True
    accept_incomplete_history: bool = False
    dropped: frozenset[Sha256Hex] = frozenset()
    delivered: dict[Sha256Hex, Sha256Hex] = Field(default_factory=dict)


class Selection(Record):
    """The chosen set. ``left_out`` says why a listed generation is not in it, by fingerprint."""

    entries: tuple[SetEntry, ...]
    digest: Sha256Hex
    left_out: dict[str, str] = Field(default_factory=dict)

    @property
    def encryption(self) -> tuple[SetEntry, ...]:
        """Current and archived encryption generations."""
        return tuple(entry for entry in self.entries if entry.slot is not Slot.SIGNING)


def select(
    generations: Iterable[Generation],
    *,
    person: PersonRecord,
    address: str,
    rules: SelectionRules,
    now: Millis,
) -> Selection:
    """Choose signing pair, current encryption pair and all archived encryption pairs.

    Args:
        generations: everything that the CA lists for the person.
        person: their record at the CA, with the proven addresses.
        address: the mail address of the user in the UEM today, which the current ones must carry.
        rules: see :class:`SelectionRules`.
        now: moment at which validity is judged.

    Raises:
        Permanent: ``KEY-…`` when no complete, proper set can be made.
    """
    newest_first = sorted(generations, key=lambda g: (-g.not_before, g.fingerprint))
    left_out: dict[str, str] = {}
    current = _current_encryption(newest_first, address, rules, now)
    entries = [_entry(Slot.ENCRYPTION, current)]
    entries += _archived(newest_first, current, person, rules, left_out)
    signing = _signing(newest_first, address, rules, now)
    if signing is not None:
        entries.insert(0, _entry(Slot.SIGNING, signing))
    for generation in newest_first:
        if all(entry.fingerprint != generation.fingerprint for entry in entries):
            left_out.setdefault(
                generation.fingerprint, _not_signing(generation, address, rules, now)
            )
    _complete(entries, rules)
    return Selection(entries=tuple(entries), digest=set_digest(entries), left_out=left_out)


def _entry(slot: Slot, generation: Generation) -> SetEntry:
    return SetEntry(slot=slot, fingerprint=generation.fingerprint, public_key=generation.public_key)


def unfit(generation: Generation, address: str, now: Millis) -> str | None:
    """Why a generation cannot be a *current* one; None when it can (design promise 4)."""
    return _unsendable(generation) or _outdated(generation, address, now)


def _unsendable(generation: Generation) -> str | None:
    if generation.objection is not None:
        return generation.objection.why
    return None if generation.recoverable else "not recoverable"


def _outdated(generation: Generation, address: str, now: Millis) -> str | None:
    if not generation.not_before <= now < generation.not_after:
        return "not valid today"
    if generation.revoked_at is not None:
        return "revoked"
    if generation.key_type == "rsa" and generation.key_size < MINIMUM_CURRENT_RSA:
        return "RSA key shorter than 2048 bits"
    if canonical_address(address) not in canonical_addresses(generation.addresses):
        return "not issued for today's address"
    return generation.only_archived or None


def _current_encryption(
    newest_first: list[Generation], address: str, rules: SelectionRules, now: Millis
) -> Generation:
    encrypting = [g for g in newest_first if g.encrypts and g.fingerprint not in rules.dropped]
    if not encrypting:
        raise Permanent("KEY-101", "no encryption certificate is escrowed for this person")
    for generation in encrypting:
        if unfit(generation, address, now) is None:
            return generation
    name, reason = encrypting[0].fingerprint[:16], unfit(encrypting[0], address, now)
    raise Permanent(
        "KEY-102", f"no usable current encryption certificate; the newest, {name}: {reason}"
    )


def _archived(
    newest_first: list[Generation],
    current: Generation,
    person: PersonRecord,
    rules: SelectionRules,
    left_out: dict[str, str],
) -> list[SetEntry]:
    older = [g for g in newest_first if g.encrypts and g.fingerprint != current.fingerprint]
    dropped = [g for g in older if g.fingerprint in rules.dropped]
    left_out.update({g.fingerprint: "dropped by a person" for g in dropped})
    kept = [g for g in older if g.fingerprint not in rules.dropped]
    if rules.archived:
        for obstacle in obstacles(kept, person).values():
            raise obstacle
        return [_entry(Slot.ARCHIVED, generation) for generation in kept]
    for obstacle in obstacles(_passed_over(kept, current), person).values():
        raise obstacle
    if kept and not rules.accept_incomplete_history:
        raise Permanent("KEY-103", "archived generations exist and sending them is off")
    left_out.update({g.fingerprint: "sending archived ones is off" for g in kept})
    return []


def _passed_over(kept: list[Generation], current: Generation) -> list[Generation]:
    """Generations that cannot be sent and may be what mail is encrypted to today.

    An older one must not replace them silently.
    """
    return [
        one
        for one in kept
        if one.objection is not None and not 0 < one.not_before < current.not_before
    ]


def obstacles(
    generations: Iterable[Generation], person: PersonRecord
) -> dict[Sha256Hex, Permanent]:
    """What keeps encryption generations from being sent as archived ones, by fingerprint.

    Each can be resolved by a person who drops the generation by its name.
    """
    found = {one.fingerprint: _obstacle(one, person) for one in generations if one.encrypts}
    return {fingerprint: fault for fingerprint, fault in found.items() if fault is not None}


def _obstacle(generation: Generation, person: PersonRecord) -> Permanent | None:
    name, objection = f"generation {generation.fingerprint[:16]}", generation.objection
    if objection is not None:
        return Permanent(objection.code, f"{name}: {objection.why}")
    if not generation.recoverable:
        return Permanent("KEY-104", f"archived {name} cannot be recovered")
    if generation.key_type == "rsa" and generation.key_size < MINIMUM_ARCHIVED_RSA:
        return Permanent("KEY-105", f"archived {name} has an RSA key below 1024 bits")
    known = canonical_addresses(generation.addresses)
    if known and known.isdisjoint(canonical_addresses(person.addresses)):
        return Permanent("KEY-106", f"archived {name} is for no proven address")
    return None


def _signing(
    newest_first: list[Generation], address: str, rules: SelectionRules, now: Millis
) -> Generation | None:
    if rules.signing is SigningPolicy.NEVER:
        return None
    candidates = [g for g in newest_first if g.signs and g.fingerprint not in rules.dropped]
    usable = [generation for generation in candidates if unfit(generation, address, now) is None]
    if usable:
        return usable[0]
    if rules.signing is SigningPolicy.REQUIRED:
        raise Permanent("KEY-107", "no usable signing certificate is escrowed, and one is required")
    return None


def _not_signing(generation: Generation, address: str, rules: SelectionRules, now: Millis) -> str:
    """Why a signing generation is not the one that is sent."""
    if rules.signing is SigningPolicy.NEVER:
        return "signing keys are not sent"
    reason = unfit(generation, address, now)
    return f"signing certificate: {reason}" if reason else "older signing certificate"


def _complete(entries: list[SetEntry], rules: SelectionRules) -> None:
    """Check that no encryption key that was delivered before is missing (promise 5)."""
    if rules.accept_incomplete_history and not rules.archived:
        return
    sent = {entry.public_key for entry in entries if entry.slot is not Slot.SIGNING}
    missing = [name[:16] for key, name in rules.delivered.items() if key not in sent]
    if missing:
        text = f"{len(missing)} encryption generation(s) delivered before would be left out"
        raise Permanent("KEY-108", f"{text}: {', '.join(missing)}")
