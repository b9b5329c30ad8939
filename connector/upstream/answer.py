"""An answer whose body was read to its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from multidict import CIMultiDictProxy
from yarl import URL

from connector.core.errors import ConnectorError
from connector.core.model import Millis
from connector.upstream.headers import server_time

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Answer:
    """Status, headers (any case) and body. The body is a buffer that its owner may overwrite.

    ``url`` is what was asked for; ``nonsense`` makes the upstream's own "unexpected answer"
    fault.
    """

    status: int
    headers: CIMultiDictProxy[str] = field(repr=False)
    body: bytearray = field(repr=False)
    url: URL = field(repr=False)
    nonsense: Callable[[str], ConnectorError] = field(repr=False)

    @property
    def server_time(self) -> Millis | None:
        """The server's clock at this answer, from its ``Date`` header."""
        return server_time(self.headers)

    @property
    def content_type(self) -> str:
        """The media type alone, lower case; empty when there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON, for any media type (servers often send a wrong one).

        Raises:
            Permanent: the area's "unexpected answer", when it is not JSON.
        """
        try:
            return orjson.loads(self.body.removeprefix(BYTE_ORDER_MARK))
        except orjson.JSONDecodeError:
            raise self.nonsense(f"reading an answer {self.status} as JSON") from None
