"""HTTP routes: which endpoint serves a path and method, and the form of refusals."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import hdrs, web

from connector.catalogue import catalogue
from connector.core.errors import ConnectorError, Rejected
from connector.core.metric_definitions import HTTP_REQUEST_DURATION, WEBHOOK_EVENTS
from connector.core.metrics import Metrics, WebhookOutcome
from connector.core.ports import Clock
from connector.core.source import NO_CREDENTIALS, address_template
from connector.sources.answers import problem
from connector.sources.connection import connection_of
from connector.sources.senders import Senders

Endpoint = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]

UNAUTHORIZED, TOO_MANY, UNAVAILABLE = 401, 429, 503
OUTCOMES: dict[int, WebhookOutcome] = {
    UNAUTHORIZED: "rejected_auth",
    TOO_MANY: "rejected_auth",
    UNAVAILABLE: "overload",
}
STATUS_CLASSES = [f"{hundred}xx" for hundred in range(10)]


class Route(NamedTuple):
    """One address: its template for metrics, its senders, the allowed methods."""

    template: str
    source: str
    challenge: str
    endpoints: Mapping[str, Endpoint]


UNKNOWN = Route("unknown", "unknown", "", {})


def _route(name: str, senders: Senders) -> Route:
    endpoints: dict[str, Endpoint] = {"POST": senders.post}
    if senders.capabilities.test_calls:
        endpoints["GET"] = senders.get
    declared = senders.capabilities
    return Route(address_template(name), declared.label, declared.challenge, endpoints)


class Routes:
    """Hands each request to its sender's endpoint, and turns what it raises into an answer.

    Args:
        senders: who may be addressed, by the type in the address.
        clock: wall and monotonic clock.
        metrics: counts requests.
    """

    def __init__(self, senders: Mapping[str, Senders], clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._routes = {
            address_template(address).rpartition("/")[0]: _route(name, one)
            for name, one in senders.items()
            for address in (name, *one.capabilities.addresses)
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        started = self._clock.monotonic()
        prefix, _, tenant = _path(request).rpartition("/")
        route = self._routes.get(prefix, UNKNOWN)
        connection = connection_of(request)
        try:
            if connection.is_stranger and not connection.has_room_for(request):
                raise Rejected("EVT-002", "reading the headers of an unknown caller")
            answer = await _endpoint(route, request.method)(request, tenant)
        except ConnectorError as error:
            answer = self._refuse(route, request.method, error)
            if not connection.outlives(is_challenge=error.code == NO_CREDENTIALS):
                answer.force_close()
        seconds = self._clock.monotonic() - started
        self._metrics.observe(
            HTTP_REQUEST_DURATION,
            seconds,
            route=route.template,
            method=request.method,
            status_class=STATUS_CLASSES[answer.status // 100],
        )
        return answer

    def _refuse(self, route: Route, method: str, error: ConnectorError) -> web.Response:
        if method == hdrs.METH_POST and route is not UNKNOWN:
            labels = {"source": route.source, "event_type": "unread"}
            self._metrics.count(WEBHOOK_EVENTS, **labels, outcome=_outcome(error.code))
        return problem(error.code, retry_after=error.retry_after, headers=_headers(route, error))


def _outcome(code: str) -> WebhookOutcome:
    if code == NO_CREDENTIALS:
        return "challenged"
    return OUTCOMES.get(catalogue()[code].http or UNAVAILABLE, "rejected_schema")


def _path(request: web.BaseRequest) -> str:
    """The decoded path; what needs no decoding is taken as it stands."""
    raw = request.raw_path
    return raw if raw.startswith("/") and "%" not in raw and "?" not in raw else request.path


def _endpoint(route: Route, method: str) -> Endpoint:
    if route is UNKNOWN:
        raise Rejected("EVT-006", "routing a request")
    endpoint = route.endpoints.get(method)
    if endpoint is None:
        raise Rejected("EVT-008", "routing a request")
    return endpoint


def _headers(route: Route, error: ConnectorError) -> dict[str, str] | None:
    if error.code == "EVT-008":
        return {hdrs.ALLOW: ", ".join(route.endpoints)}
    if catalogue()[error.code].http == UNAUTHORIZED:
        return {hdrs.WWW_AUTHENTICATE: route.challenge}
    return None
