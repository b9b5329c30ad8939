"""Which route a user may get when routes change, without knowing the user's group."""

import pytest

from connector.core.policy import RoutePolicy
from connector.core.route_moves import known_group, possible_routes
from tests.support.routes import policy

MAIL = "a@example.com"


def routes(*pairs: tuple[str, tuple[str, ...]], uem: str = "acme") -> dict[str, RoutePolicy]:
    """Routes by name, each for some groups; an entry with a full stop is a mail domain."""
    return {
        name: policy(
            name=name,
            uem=uem,
            groups=tuple(one for one in wanted if "." not in one),
            mail_domains=tuple(one for one in wanted if "." in one),
        )
        for name, wanted in pairs
    }


BEFORE = routes(("it", ("admins", "ops")), ("mail", ("example.com",)), ("rest", ()))


@pytest.mark.parametrize(
    ("before", "route", "after", "expected"),
    [
        (BEFORE, "it", BEFORE, ("it",)),
        (BEFORE, "mail", BEFORE, ("mail",)),
        (routes(("it", ("ops",)), ("rest", ())), "rest", BEFORE, ("it", "mail")),
        (BEFORE, "it", routes(("new", ("admins", "ops", "more"))), ("new",)),
        (BEFORE, "it", routes(("it", ("ops",)), ("rest", ())), ("it", "rest")),
        (BEFORE, "it", routes(("other", ("guests",))), (None,)),
        (BEFORE, "it", routes(("some", ("ops",))), ("some", None)),
        (BEFORE, "mail", routes(("it", ("ops", "admins"))), (None,)),
        (BEFORE, "mail", routes(("it", ("guests",)), ("rest", ())), ("it", "rest")),
        (routes(("a", ("x",)), ("b", ("x", "y"))), "b", routes(("c", ("x",))), (None,)),
        (routes(("a", ("x",)), ("b", ("x", "y"))), "b", routes(("c", ("y",))), ("c",)),
        (BEFORE, "gone", routes(("it", ("ops",)), ("rest", ())), ("it", "rest")),
        (BEFORE, "mail", routes(("mail", ("example.com",)), uem="other"), (None,)),
    ],
)
def test_possible_routes(
    before: dict[str, RoutePolicy],
    route: str,
    after: dict[str, RoutePolicy],
    expected: tuple[str | None, ...],
) -> None:
    """What is certain is one route; what depends on the group is all that may be."""
    group = known_group(before, route, MAIL)
    assert possible_routes(after, "acme", MAIL, group) == expected
