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
    context = ssl.create_default_context(cafile=settings.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_certificate_file is not None:
        # A password keeps OpenSSL from asking a terminal when the key is encrypted.
        context.load_cert_chain(
            settings.client_certificate_file, settings.client_key_file, password=""
        )
    return context


def open_session(settings: UpstreamSettings) -> ClientSession:
    """A session without cookies, environment, decompression or redirects of its own.

    Raises:
        OSError: as :func:`tls_context`.
    """
    return ClientSession(
        connector=TCPConnector(ssl=tls_context(settings), limit=settings.parallel),
        cookie_jar=DummyCookieJar(),
        headers=HEADERS,
        proxy=settings.proxy,
        timeout=ClientTimeout(total=settings.timeout, sock_connect=settings.connect_timeout),
        trust_env=False,
        auto_decompress=False,
    )
