"""One canonical form of a mail address, used wherever two addresses are compared.

The same mailbox is written in several ways: certificates hold the host as A-labels
(``xn--mbel-5qa.example``, RFC 5280 section 7.5, RFC 9598), directories often as Unicode
(``möbel.example``), and each of them in any case.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import idna


@lru_cache(maxsize=4096)
def canonical_address(address: str) -> str:
    """An address with its host as lower-case A-labels and its local part in lower case.

    The local part is compared without regard to case, as mail systems do. Text without ``@`` is
    returned in lower case.
    """
    text = unicodedata.normalize("NFC", address.strip())
    local, at, host = text.rpartition("@")
    return f"{local.lower()}@{canonical_host(host)}" if at else text.lower()


def canonical_host(host: str) -> str:
    """A host name as lower-case A-labels (RFC 5891); one that IDNA refuses only in lower case."""
    name = unicodedata.normalize("NFC", host.strip()).lower().rstrip(".")
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except UnicodeError:
        return name


def canonical_addresses(addresses: Iterable[str]) -> frozenset[str]:
    """Several addresses in canonical form."""
    return frozenset(map(canonical_address, addresses))


def host_of(address: str) -> str:
    """The host of an address in canonical form; of text without ``@`` the text itself."""
    return canonical_address(address).rpartition("@")[2]
