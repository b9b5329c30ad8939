"""Building the HTTP session of one upstream from its settings."""

import ssl

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from connector.core.upstream import UpstreamSettings

HEADERS = {"User-Agent": "pki-connector", "Accept-Encoding": "identity"}


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer with host name and chain verified; there is no way to switch that off.

    Raises:
        OSError: a certificate or key file is missing or unusable.
    """
    # Not create_default_context: that writes session keys to a file if SSLKEYLOGFILE says so.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        context.load_verify_locations(settings.ca_file)
    if settings.client_certificate_file is not None:
        # A password keeps OpenSSL from asking a terminal when the key is encrypted.
        context.load_cert_chain(
            settings.client_certificate_file, settings.client_key_file, password=""
        )
    return context


def open_session(settings: UpstreamSettings) -> ClientSession:
    """A session without cookies, environment, decompression or repetitions of its own.

    Raises:
        OSError: as :func:`tls_context`.
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
