"""The HTTP session of one upstream, made from its settings, and URLs of its resources.

No part of a URL can be taken for another.
"""

import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from connector.core.upstream import UpstreamSettings
from connector.tls_files import client_context, load_pair

HEADERS = {"User-Agent": "pki-connector", "Accept-Encoding": "identity"}
UNADDRESSABLE = frozenset({"", ".", ".."})
"""A path cannot hold these as a segment: they are dropped or climb (RFC 3986 section 5.2.4)."""


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """As the settings say; raises as :mod:`connector.tls_files`."""
    context = client_context(settings.ca_file)
    if settings.client_certificate_file is not None:
        load_pair(context, settings.client_certificate_file, settings.client_key_file)
    return context


def open_session(settings: UpstreamSettings) -> ClientSession:
    """A session without cookies, environment, decompression or repetitions of its own.

    Raises:
        Permanent: as :func:`tls_context`.
    """
    session = ClientSession(
        connector=TCPConnector(ssl=tls_context(settings), limit=settings.parallel),
        cookie_jar=DummyCookieJar(),
        headers=HEADERS,
        proxy=settings.proxy,
        timeout=ClientTimeout(total=settings.timeout, sock_connect=settings.connect_timeout),
        trust_env=False,
        auto_decompress=False,
    )
    # The library repeats PUT and DELETE by itself when a kept connection breaks, and has no public
    # switch for it. Only the caller knows whether an act may be repeated.
    session._retry_connection = False  # noqa: SLF001
    return session


def resource(base: str, segments: Sequence[str], query: Mapping[str, str]) -> URL:
    """The URL below ``base`` with each segment and each query part percent-encoded by itself.

    Raises:
        ValueError: a segment is empty, ``.`` or ``..``, or cannot be written as UTF-8.
    """
    if not UNADDRESSABLE.isdisjoint(segments):
        raise ValueError("the identifier cannot be part of a path")
    path = "/".join(quote(segment, safe="") for segment in segments)
    return URL(f"{base}/{path}{_query(query)}", encoded=True)


def _query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query, quote_via=quote)}" if query else ""
