"""The table that maps the library's errors is complete, and says what the catalogue says."""

import inspect
import socket
import ssl
from pathlib import Path

import pytest
import yaml
from aiohttp import client_exceptions
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

import connector
from connector.core.errors import Scope
from connector.upstream import CA, UEM, Codes, Kind, fault
from connector.upstream.faults import KINDS, kind_of, kind_of_status, peer_of, told

CATALOGUE = yaml.safe_load((Path(connector.__file__).parent / "errors.yaml").read_text("utf-8"))
LIBRARY = [
    each
    for _, each in inspect.getmembers(client_exceptions, inspect.isclass)
    if issubclass(each, client_exceptions.ClientError)
]


@pytest.mark.parametrize("exception", LIBRARY)
def test_every_client_exception_of_the_library_is_mapped_by_its_exact_class(
    exception: type[Exception],
) -> None:
    """When the library gets a new exception, its meaning must be decided."""
    assert exception in KINDS


@pytest.mark.parametrize("codes", [CA, UEM])
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_code_of_the_family_that_the_catalogue_names(
    codes: Codes, kind: Kind
) -> None:
    """Code and family of a raised fault agree with the catalogue."""
    error = fault(codes, "corp", kind, "testing")
    assert CATALOGUE[error.code]["family"] == error.family.value
    assert error.code.startswith(codes.prefix.upper())


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.TLS, Kind.ERROR, Kind.REFUSED])
def test_a_fault_of_the_whole_upstream_names_it(kind: Kind) -> None:
    """The route can be paused by what the fault says."""
    error = fault(UEM, "main", kind, "testing")
    assert (error.scope, error.upstream) == (Scope.UPSTREAM, "uem:main")


def test_a_fault_of_one_request_names_no_upstream() -> None:
    """An invalid answer stops no other subject."""
    error = fault(UEM, "main", Kind.NONSENSE, "testing")
    assert (error.scope, error.upstream) == (Scope.SUBJECT, None)


def test_an_exception_of_no_listed_class_counts_as_its_parent() -> None:
    """A subclass made elsewhere is still mapped."""

    class Odd(client_exceptions.ServerDisconnectedError):
        pass

    assert kind_of(Odd()) is Kind.UNREACHABLE


def test_an_alert_after_the_handshake_is_a_tls_fault() -> None:
    """TLS 1.3 refuses a client certificate when the session is open (RFC 8446 section 4.4.2.4)."""
    error = client_exceptions.ClientOSError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]")
    error.__cause__ = ssl.SSLError(1, "alert")
    assert kind_of(error) is Kind.TLS


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, Kind.REDIRECT),
        (400, Kind.NONSENSE),
        (401, Kind.REFUSED),
        (403, Kind.BARRED),
        (404, Kind.UNKNOWN),
        (429, Kind.SLOW_DOWN),
        (500, Kind.STUMBLED),
        (408, Kind.ERROR),
        (501, Kind.STUMBLED),
        (503, Kind.STUMBLED),
        (599, Kind.STUMBLED),
    ],
)
def test_a_status_has_a_kind(status: int, kind: Kind) -> None:
    """Each status that is no success says what has to happen next."""
    assert kind_of_status(status) is kind


def test_a_name_that_is_not_known_is_told() -> None:
    """With the host that was looked for (a proxy's, where there is one), without the path."""
    key = ConnectionKey("proxy.example.com", 3128, False, True, None, None, None)
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    error = client_exceptions.ClientConnectorDNSError(key, unknown)
    url = URL("https://ca.example.com/persons/alice")
    assert told(error) == "the name cannot be resolved"
    assert peer_of(error, url) == "proxy.example.com:3128"
    assert peer_of(TimeoutError(), url) == "ca.example.com:443"
