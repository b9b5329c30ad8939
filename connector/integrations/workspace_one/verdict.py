"""Interpret the answer to an upload: accepted, or refused by the UEM itself."""

from http import HTTPStatus

from connector.core.errors import Permanent
from connector.core.ports import Delivered
from connector.integrations.workspace_one.refusals import refusal_in, somebody_elses
from connector.upstream import Answer
from connector.upstream.headers import reference


def verdict(answer: Answer) -> Delivered:
    """The outcome of an upload that was answered with success or a status 4xx.

    Raises:
        Permanent: ``UEM-400``, ``UEM-404`` with the UEM's own numbers; never its text.
        Transient: ``UEM-011`` for a 404 that is not the UEM's own.
    """
    if answer.status < HTTPStatus.BAD_REQUEST:
        return Delivered(server_time=answer.server_time)
    refusal = refusal_in(answer)
    detail = f"uploading: refused with {answer.status}{refusal}{reference(answer.headers)}"
    if answer.status != HTTPStatus.NOT_FOUND:
        raise Permanent("UEM-400", detail)
    raise Permanent("UEM-404", detail) if refusal.number else somebody_elses(detail)
