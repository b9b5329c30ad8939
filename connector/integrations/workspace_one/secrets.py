"""The two secrets used to log in, read from mounted files."""

from collections.abc import Callable
from pathlib import Path

from aiohttp import encode_basic_auth

from connector.core.errors import ConnectorError, Permanent
from connector.core.secret import Credential
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.mounted import read_secret

LONGEST = 4096


class Login:
    """The headers that every request carries. They are never shown.

    Sources: HTTP Basic in UTF-8 (RFC 7617); ``aw-tenant-code``, the API key of an organisation
    group, on every request.
    """

    def __init__(
        self, settings: WorkspaceOneSettings, misconfigured: Callable[[str], ConnectorError]
    ) -> None:
        """Read the files; raises what ``misconfigured`` makes if one is of no use."""
        password = _read(settings.password_file, "password_file", misconfigured)
        code = _read(settings.tenant_code_file, "tenant_code_file", misconfigured)
        if not code.isascii() or not code.isprintable():
            raise misconfigured("reading tenant_code_file: not printable ASCII")
        self._basic = Credential(encode_basic_auth(settings.username, password, "utf-8"))
        self._tenant_code = Credential(code)

    def headers(self) -> dict[str, str]:
        """Header names and values, in clear text."""
        return {
            "Authorization": self._basic.reveal(),
            "aw-tenant-code": self._tenant_code.reveal(),
        }


def _read(path: Path, setting: str, misconfigured: Callable[[str], ConnectorError]) -> str:
    try:
        text = read_secret(path).reveal()
    except Permanent as error:
        raise misconfigured(f"{setting}: {error.detail}") from None
    if len(text) > LONGEST:
        raise misconfigured(f"{setting}: too long")
    return text
