"""Recognising a certificate in the list that a device reported.

The list shows name, issuer and expiry, no thumbprint and no serial number. So it proves only that
*a* certificate of that name, issuer and second of expiry is there; a renewal differs in its expiry.
"""

from cryptography import x509
from cryptography.x509.oid import NameOID

from connector.core.model import SECOND, Generation, Millis
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.times import read_time


class Wanted:
    """A generation as a device's list may show it. ``tolerance`` is in seconds."""

    def __init__(self, generation: Generation, tolerance: int) -> None:
        self._subjects = _spellings(generation.subject)
        self._issuers = _spellings(generation.issuer)
        self._expiry = generation.not_after
        self._tolerance = max(tolerance, 0) * SECOND

    def seen_at(self, listed: list[Members]) -> Millis | None:
        """When the device last reported it (UEM's clock); None when it did not."""
        times = [read_time(entry.text("lastsampletime")) for entry in listed if self._is_it(entry)]
        return max((time for time in times if time is not None), default=None)

    def _is_it(self, entry: Members) -> bool:
        expiry = read_time(entry.text("expireson"))
        return (
            _plain(entry.text("name")) in self._subjects
            and _plain(entry.text("issuedby")) in self._issuers
            and expiry is not None
            and abs(expiry // SECOND * SECOND - self._expiry // SECOND * SECOND) <= self._tolerance
        )


def _spellings(name: str) -> frozenset[str]:
    """How a distinguished name (RFC 4514) may be shown: its common name, or whole, either way."""
    try:
        parsed = x509.Name.from_rfc4514_string(name)
    except ValueError:
        return frozenset({_plain(name)} - {""})
    common = [str(each.value) for each in parsed.get_attributes_for_oid(NameOID.COMMON_NAME)]
    turned = x509.Name(reversed(parsed.rdns)).rfc4514_string()
    return frozenset({_plain(each) for each in (*common, name, turned)} - {""})


def _plain(name: str) -> str:
    """Without the differences that programs make between equal names."""
    return name.replace(", ", ",").strip().casefold()
