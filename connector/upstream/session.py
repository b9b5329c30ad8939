"""Building the HTTP session of one upstream from its settings."""

import ssl

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from connector.core.upstream import UpstreamSettings
from connector.tls_files import client_context, load_pair

HEADERS = {"User-Agent": "pki-connector", "Accept-Encoding": "identity"}


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
