"""Asking the REST interface: login, version, and what empty, unknown and odd answers mean."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import orjson

from connector.core.errors import ConnectorError, Transient
from connector.core.model import Millis
from connector.core.ports import RequestPermits
from connector.integrations.workspace_one.members import Members
from connector.integrations.workspace_one.operations import (
    DEFAULT_VERSION,
    PATHS,
    VERSIONS,
    Operation,
    segments,
)
from connector.integrations.workspace_one.refusals import is_page, refusal_in, somebody_elses
from connector.integrations.workspace_one.secrets import Login
from connector.integrations.workspace_one.settings import WorkspaceOneSettings
from connector.upstream import UEM, Answer, Kind, Upstream, upload

NOTHING: Mapping[str, str] = {}
NOT_FOUND = frozenset({404})
USER_NOT_FOUND = frozenset({400, 404})
"""Which of the two an unknown user gives is not public."""
REFUSALS = frozenset(range(400, 500)) - {401, 403, 408, 429}
"""Statuses that neither login nor load explain; the body tells whose they are."""
USERS = frozenset({Operation.USER, Operation.USER_BY_UUID})
NO_NAME = "pki-connector-asks-for-no-user"
NOBODY: Mapping[Operation, Mapping[str, str]] = {
    Operation.USER_SEARCH: {"username": NO_NAME, "orderby": "UserName", "pagesize": "1"},
    Operation.DEVICE_SEARCH: {"user": NO_NAME, "orderby": "deviceid", "pagesize": "1"},
}
"""Searches that need the rights to see users and devices, and find none."""


class Found(NamedTuple):
    """An object that the interface showed, and its clock at that moment."""

    members: Members
    server_time: Millis | None


class Api:
    """The REST interface of one tenant, from :meth:`open` to :meth:`close`.

    Its methods raise what :class:`~connector.upstream.Upstream` raises, besides what they list.
    """

    def __init__(
        self, name: str, settings: WorkspaceOneSettings, permits: RequestPermits | None
    ) -> None:
        self._settings = settings
        self._upstream = Upstream(name, settings, UEM, permits, probe=self.probe)
        self._login: Login | None = None

    async def open(self) -> None:
        """Read the secrets and build the session. Raises ``Permanent`` ``CFG-003``."""
        self._login = Login(self._settings, self._upstream.misconfigured)
        await self._upstream.__aenter__()

    async def close(self) -> None:
        """Forget the secrets and close the session; closing twice is harmless."""
        self._login = None
        await self._upstream.__aexit__()

    def fault(self, kind: Kind, detail: str) -> ConnectorError:
        """The exception for a failure of this upstream; to be raised."""
        return self._upstream.fault(kind, detail)

    async def probe(self) -> None:
        """Ask for system information, then for a user and devices that do not exist.

        So login, tenant code and the rights to see users and devices are checked, no single user
        or device decides. What fails here is a fault of the whole upstream.
        """
        await self.information()
        for operation, query in NOBODY.items():
            await self.answer(operation, "", query, of_all=True)

    async def information(self) -> Found:
        """System information; a failure is one of the whole upstream.

        Raises:
            Transient: ``UEM-009`` when there is none.
        """
        found = await self.one(Operation.INFO, of_all=True)
        if found is None:
            raise incomplete("asking for system information: there is none")
        return found

    async def one(
        self,
        operation: Operation,
        identifier: str = "",
        query: Mapping[str, str] = NOTHING,
        *,
        of_all: bool = False,
    ) -> Found | None:
        """One object; None when the interface says in its own words that there is none.

        ``of_all``: as for :meth:`connector.upstream.Upstream.look`.

        Raises:
            Transient: ``UEM-009`` for an empty answer, which is neither; ``UEM-011`` for a 404 that
                is not the UEM's own, such as a web server's or proxy's, and for any other HTML page
                with a status 4xx.
        """
        answer = await self.answer(operation, identifier, query, of_all=of_all)
        if answer is None:
            return None
        if not answer.body:
            raise incomplete(f"reading {operation.value}: empty answer")
        return Found(self.object_in(answer), answer.server_time)

    async def answer(
        self,
        operation: Operation,
        identifier: str,
        query: Mapping[str, str],
        *,
        of_all: bool = False,
    ) -> Answer | None:
        """The successful answer to a GET, perhaps empty; None for "not found"."""
        unknown = USER_NOT_FOUND if operation in USERS else NOT_FOUND
        answer = await self._upstream.look(
            self.path(operation, identifier),
            query=query,
            headers=self.headers(operation),
            judged=REFUSALS,
            of_all=of_all,
        )
        return None if self._says_unknown(operation, answer, unknown) else answer

    async def post(
        self, operation: Operation, identifier: str, document: Mapping[str, object]
    ) -> int:
        """Send a small JSON document; 2xx, 400 or 404 is returned, anything else raised.

        Raises:
            Transient: ``UEM-011`` for a 400 or 404 that is not the UEM's own, and for any other
                HTML page with a status 4xx.
        """
        answer = await self._upstream.request(
            "POST",
            self.path(operation, identifier),
            headers=self.headers(operation) | {"Content-Type": "application/json"},
            body=orjson.dumps(document),
            judged=REFUSALS,
        )
        self._says_unknown(operation, answer, USER_NOT_FOUND)
        return answer.status

    async def upload(
        self, identifier: str, content: memoryview, sending: Callable[[], None]
    ) -> Answer:
        """Upload a set once; see :func:`connector.upstream.upload`."""
        return await upload(
            self._upstream,
            "POST",
            self.path(Operation.UPLOAD, identifier),
            content,
            sending,
            headers=self.headers(Operation.UPLOAD) | {"Content-Type": "application/json"},
        )

    def _says_unknown(self, operation: Operation, answer: Answer, unknown: Collection[int]) -> bool:
        """Whether the interface says in its own words that there is no such thing."""
        status = answer.status
        if status not in REFUSALS:
            return False
        if is_page(answer) or (status in unknown and not refusal_in(answer).number):
            whose = f"calling {operation.value}: {status} without an error object"
            raise somebody_elses(whose)
        if status not in unknown:
            raise self._upstream.status_fault(status, answer.headers)
        return True

    def object_in(self, answer: Answer) -> Members:
        """The JSON object of an answer. Raises ``Permanent`` ``UEM-005`` when it is none."""
        content = answer.json()
        if not isinstance(content, dict):
            raise self.fault(Kind.NONSENSE, f"reading an answer {answer.status} as an object")
        return Members(content)

    def path(self, operation: Operation, identifier: str) -> tuple[str, ...]:
        """The path of a call, from the settings' prefix on."""
        uploads = operation is Operation.UPLOAD
        template = self._settings.upload_path if uploads else PATHS[operation]
        return segments(self._settings.api_path, "") + segments(template, identifier)

    def headers(self, operation: Operation) -> dict[str, str]:
        """Login and version of a call."""
        if self._login is None:
            raise RuntimeError("using a target outside its `async with`")
        default = VERSIONS.get(operation, DEFAULT_VERSION)
        version = self._settings.versions.get(operation, default)
        return {**self._login.headers(), "Accept": f"application/json;version={version}"}


def incomplete(detail: str) -> Transient:
    """``UEM-009``: the answer is incomplete; to be raised."""
    return Transient("UEM-009", detail)
