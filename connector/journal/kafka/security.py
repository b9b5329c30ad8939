"""Arguments of aiokafka clients from the settings of the brokers; the only reader of their secrets.

aiokafka keeps the password with which it was made and uses it for every later connection of that
client. So that a rotated one counts without a restart, :meth:`Access.renew` gives running clients
what lies in the files now; a certificate is loaded again into the context that they share; a token
is read at every login by itself.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import AuthenticationFailedError

from connector.core.errors import Permanent
from connector.journal.settings import KafkaSettings, Sasl
from connector.mounted import read_secret
from connector.tls_files import client_context, load_pair


class Access:
    """How clients of one journal reach the brokers and log in.

    Args:
        options: where the brokers are, and in which files the secrets lie.

    Raises everywhere:
        Permanent: ``CFG-003`` when a file is missing, empty, or holds nothing of its kind.
    """

    def __init__(self, options: KafkaSettings) -> None:
        self._options = options
        self._security = options.security
        self._context: ssl.SSLContext | None = None
        # At level debug it writes every request, the login's with its password.
        logging.getLogger("aiokafka.conn").setLevel(logging.WARNING)

    def client_arguments(self) -> dict[str, Any]:
        """Keyword arguments that every aiokafka client takes, with the secrets as they are now."""
        return {
            "bootstrap_servers": list(self._options.bootstrap_servers),
            "security_protocol": self._protocol(),
            "ssl_context": self._loaded_context(),
            **self._login(),
        }

    def renew(self, clients: Iterable[AIOKafkaClient]) -> None:
        """Have the next connections of running clients use the secrets as they are now.

        A producer's and a consumer's is ``producer.client`` and ``consumer._client``.
        """
        self._loaded_context()
        sasl = self._security.sasl
        if sasl is None or sasl.password_file is None:
            return
        password = read_secret(sasl.password_file).reveal()
        for client in clients:
            client._sasl_plain_password = password  # noqa: SLF001 - it has no other way in

    def _protocol(self) -> str:
        encrypted, named = self._security.tls is not None, self._security.sasl is not None
        if named:
            return "SASL_SSL" if encrypted else "SASL_PLAINTEXT"
        return "SSL" if encrypted else "PLAINTEXT"

    def _loaded_context(self) -> ssl.SSLContext | None:
        tls = self._security.tls
        if tls is None:
            return None
        if self._context is None:
            self._context = client_context(tls.ca_file)
        if tls.client is not None:
            load_pair(self._context, tls.client.certificate_file, tls.client.key_file)
        return self._context

    def _login(self) -> dict[str, Any]:
        sasl = self._security.sasl
        if sasl is None:
            return {}
        if sasl.token_file is not None:
            provider = TokenFile(sasl.token_file)
            return {"sasl_mechanism": sasl.mechanism, "sasl_oauth_token_provider": provider}
        return {
            "sasl_mechanism": sasl.mechanism,
            "sasl_plain_username": sasl.user,
            "sasl_plain_password": _password(sasl),
        }


class TokenFile(AbstractTokenProvider):  # type: ignore[misc] # aiokafka has no types
    """A token in a file that another program keeps fresh; read at every login."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def token(self) -> str:
        """The token as it is now.

        Raises:
            AuthenticationFailedError: there is none; the client's own kind, so that it tries again.
        """
        try:
            secret = await asyncio.to_thread(read_secret, self._file)
        except Permanent as error:
            raise AuthenticationFailedError(error.detail) from None
        return secret.reveal()


def _password(sasl: Sasl) -> str | None:
    return read_secret(sasl.password_file).reveal() if sasl.password_file else None
