"""What can go wrong towards an upstream, and which family, scope and code it is.

A fault of reaching the upstream, of TLS or of our credentials concerns all its users
(``Scope.UPSTREAM``); an invalid answer concerns the one request. So does a missing answer, a 5xx, a
403 or a 429, unless a request that concerns no user is answered like that as well
(:mod:`connector.upstream.outage_detector`).
"""

import os
import ssl
from dataclasses import dataclass
from enum import Enum, auto

from aiohttp import client_exceptions as http
from yarl import URL

from connector.core.errors import ConnectorError, Permanent, Scope, Transient


class Kind(Enum):
    """The ways in which a request fails."""

    UNREACHABLE = auto()
    """Not connected, or broken off."""
    STALLED = auto()
    """No answer in time, or none that ended: perhaps of the one resource only."""
    STUMBLED = auto()
    """Status 500 or above: perhaps over the one resource only."""
    TLS = auto()
    """The server's certificate is not trusted, or ours is refused."""
    REFUSED = auto()
    """Status 401."""
    BARRED = auto()
    """Status 403: perhaps of the one resource only."""
    SLOW_DOWN = auto()
    """Status 429: perhaps of the one resource only."""
    OVER_LIMIT = auto()
    """Status 429 to every request."""
    ERROR = auto()
    """Status 408, or 5xx of the upstream as such."""
    REDIRECT = auto()
    """Status 3xx."""
    UNKNOWN = auto()
    """Status 404 or 410."""
    NONSENSE = auto()
    """Any other status, or a body that is not what was asked for."""
    TOO_MUCH = auto()
    """A body above the limit."""


@dataclass(frozen=True)
class Codes:
    """The catalogue's codes of one area by kind; ``prefix`` begins the upstream's name."""

    prefix: str
    by_kind: dict[Kind, str]


CA = Codes(
    "ca",
    {
        Kind.UNREACHABLE: "CA-001",
        Kind.STALLED: "CA-001",
        Kind.STUMBLED: "CA-002",
        Kind.TLS: "CA-007",
        Kind.REFUSED: "CA-401",
        Kind.BARRED: "CA-403",
        Kind.SLOW_DOWN: "CA-003",
        Kind.OVER_LIMIT: "CA-003",
        Kind.ERROR: "CA-002",
        Kind.REDIRECT: "CA-006",
        Kind.UNKNOWN: "CA-404",
        Kind.NONSENSE: "CA-004",
        Kind.TOO_MUCH: "CA-005",
    },
)
UEM = Codes(
    "uem",
    {
        Kind.UNREACHABLE: "UEM-001",
        Kind.STALLED: "UEM-001",
        Kind.STUMBLED: "UEM-003",
        Kind.TLS: "UEM-008",
        Kind.REFUSED: "UEM-401",
        Kind.BARRED: "UEM-403",
        Kind.SLOW_DOWN: "UEM-004",
        Kind.OVER_LIMIT: "UEM-004",
        Kind.ERROR: "UEM-003",
        Kind.REDIRECT: "UEM-007",
        Kind.UNKNOWN: "UEM-404",
        Kind.NONSENSE: "UEM-005",
        Kind.TOO_MUCH: "UEM-006",
    },
)

FAMILIES: dict[Kind, tuple[type[ConnectorError], Scope]] = {
    Kind.UNREACHABLE: (Transient, Scope.UPSTREAM),
    Kind.STALLED: (Transient, Scope.SUBJECT),
    Kind.STUMBLED: (Transient, Scope.SUBJECT),
    Kind.TLS: (Transient, Scope.UPSTREAM),
    Kind.REFUSED: (Permanent, Scope.UPSTREAM),
    Kind.BARRED: (Permanent, Scope.SUBJECT),
    Kind.SLOW_DOWN: (Transient, Scope.SUBJECT),
    Kind.OVER_LIMIT: (Transient, Scope.UPSTREAM),
    Kind.ERROR: (Transient, Scope.UPSTREAM),
    Kind.REDIRECT: (Permanent, Scope.SUBJECT),
    Kind.UNKNOWN: (Permanent, Scope.SUBJECT),
    Kind.NONSENSE: (Permanent, Scope.SUBJECT),
    Kind.TOO_MUCH: (Permanent, Scope.SUBJECT),
}

KINDS: dict[type[BaseException], Kind] = {
    http.ClientConnectionError: Kind.UNREACHABLE,
    http.ClientConnectionResetError: Kind.UNREACHABLE,
    http.ClientConnectorCertificateError: Kind.TLS,
    http.ClientConnectorDNSError: Kind.UNREACHABLE,
    http.ClientConnectorError: Kind.UNREACHABLE,
    http.ClientConnectorSSLError: Kind.TLS,
    http.ClientError: Kind.NONSENSE,
    http.ClientHttpProxyError: Kind.UNREACHABLE,
    http.ClientOSError: Kind.UNREACHABLE,
    http.ClientPayloadError: Kind.UNREACHABLE,
    http.ClientProxyConnectionError: Kind.UNREACHABLE,
    http.ClientResponseError: Kind.NONSENSE,
    http.ClientSSLError: Kind.TLS,
    http.ConnectionTimeoutError: Kind.UNREACHABLE,
    http.ContentTypeError: Kind.NONSENSE,
    http.InvalidURL: Kind.NONSENSE,
    http.InvalidUrlClientError: Kind.NONSENSE,
    http.InvalidUrlRedirectClientError: Kind.REDIRECT,
    http.NonHttpUrlClientError: Kind.NONSENSE,
    http.NonHttpUrlRedirectClientError: Kind.REDIRECT,
    http.RedirectClientError: Kind.REDIRECT,
    http.ServerConnectionError: Kind.UNREACHABLE,
    http.ServerDisconnectedError: Kind.UNREACHABLE,
    http.ServerFingerprintMismatch: Kind.TLS,
    http.ServerTimeoutError: Kind.STALLED,
    http.SocketTimeoutError: Kind.STALLED,
    http.TooManyRedirects: Kind.REDIRECT,
    http.UnixClientConnectorError: Kind.UNREACHABLE,
    http.UploadAbortedError: Kind.UNREACHABLE,
    http.WSServerHandshakeError: Kind.NONSENSE,
    ssl.SSLError: Kind.TLS,
    TimeoutError: Kind.STALLED,
    OSError: Kind.UNREACHABLE,
}
"""Every exception of the library's client by its exact class; a test finds a missing one."""

CAUGHT = (http.ClientError, OSError)
"""What the library raises; ``TimeoutError`` and ``ssl.SSLError`` are kinds of ``OSError``."""

OF_THE_UPSTREAM = {
    Kind.STALLED: Kind.UNREACHABLE,
    Kind.STUMBLED: Kind.ERROR,
    Kind.BARRED: Kind.REFUSED,
    Kind.SLOW_DOWN: Kind.OVER_LIMIT,
}
"""What a fault of one resource is when all have it (:mod:`connector.upstream.outage_detector`)."""

FAILING = 500
"""From here on it is the server that fails (RFC 9110 section 15.6)."""
BY_STATUS = {
    401: Kind.REFUSED,
    403: Kind.BARRED,
    404: Kind.UNKNOWN,
    408: Kind.ERROR,
    410: Kind.UNKNOWN,
    429: Kind.SLOW_DOWN,
}


def kind_of(error: BaseException) -> Kind:
    """The kind of a library exception: the one of its nearest listed class.

    A broken TLS session (like our client certificate refused, RFC 8446 section 4.4.2.4) surfaces as
    an error of the socket whose cause is the TLS library's.
    """
    if isinstance(error.__cause__, ssl.SSLError):
        return Kind.TLS
    return next((KINDS[each] for each in type(error).__mro__ if each in KINDS), Kind.NONSENSE)


def peer_of(error: BaseException, url: URL) -> str:
    """Host and port that could not be reached (a proxy's, where there is one), else those asked."""
    if isinstance(error, http.ClientConnectorError) and error.host:
        return f"{error.host}:{error.port}"
    return f"{url.host}:{url.port}"


def told(error: BaseException) -> str:
    """What happened: the operating system's words for a connection, else the class.

    An exception's own text may hold the address of a resource and stays out.
    """
    if isinstance(error, http.ClientConnectorDNSError):
        return "the name cannot be resolved"
    number = error.errno if isinstance(error, OSError) else None
    of_system = number and not isinstance(error, (ssl.SSLError, http.ClientSSLError))
    return os.strerror(number) if of_system and number else type(error).__name__


def kind_of_status(status: int) -> Kind:
    """The kind of a status that is no success."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    if status >= FAILING:
        return Kind.STUMBLED
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110 section 15.4
        return Kind.REDIRECT
    return Kind.NONSENSE


def fault(
    codes: Codes, name: str, kind: Kind, detail: str, *, retry_after: float | None = None
) -> ConnectorError:
    """The exception for a kind of failure at the upstream ``name``; the caller raises it."""
    family, scope = FAMILIES[kind]
    upstream = f"{codes.prefix}:{name}" if scope is Scope.UPSTREAM else None
    return family(
        codes.by_kind[kind], detail, scope=scope, retry_after=retry_after, upstream=upstream
    )


def misconfigured(codes: Codes, name: str, detail: str) -> ConnectorError:
    """The exception for a file of an upstream's settings that cannot be used."""
    return Permanent("CFG-003", detail, scope=Scope.UPSTREAM, upstream=f"{codes.prefix}:{name}")
