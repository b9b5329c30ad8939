"""Settings that are well-formed and cannot be right: one line each."""

from typing import Any

import pytest

from tests.settings.examples import Change, Check, Values

ROUTE = "routes.staff"


@pytest.mark.parametrize("attribute", ["EmployeeId", "employeeid"])
def test_the_proof_must_be_another_attribute(
    checked: Check, changed: Change, attribute: str
) -> None:
    """The same attribute twice proves nothing, in upper or lower case."""
    values = changed(f"{ROUTE}.identity.agreeing_attribute", attribute)
    (problem,) = checked(values).problems
    assert problem.setting == f"{ROUTE}.identity.agreeing_attribute"


@pytest.mark.parametrize(
    "domain", ["*.example.com", "@example.com", "a@example.com", "example .com", ".example.com"]
)
def test_what_is_no_domain_fits_no_user(checked: Check, changed: Change, domain: str) -> None:
    """The route would be there and never be taken."""
    (problem,) = checked(changed(f"{ROUTE}.mail_domains", ["example.com", domain])).problems
    assert problem.setting == f"{ROUTE}.mail_domains[1]"


@pytest.mark.parametrize(
    "domain", ["example.com", "Sub.Example.com", "m\u00f6bel.example", "intra"]
)
def test_domains_are_taken(checked: Check, changed: Change, domain: str) -> None:
    """Also in capitals, with letters of other scripts, and without a dot."""
    assert checked(changed(f"{ROUTE}.mail_domains", [domain])).problems == ()


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        (("127.0.0.1", 9464), {}, True),
        (("127.0.0.1", 8443), {"host": "127.0.0.1", "port": 8443}, True),
        (("127.0.0.1", 8443), {"host": "192.0.2.1", "port": 8443}, False),
        (("127.0.0.1", 0), {"host": "127.0.0.1", "port": 0}, False),
    ],
)
def test_two_listeners_need_two_ports(
    checked: Check,
    changed: Change,
    first: tuple[str, int],
    second: Values,
    clash: bool,  # noqa: FBT001
) -> None:
    """Otherwise the second one fails at start."""
    values = changed("service.intake.listen", {"host": first[0], "port": first[1]})
    if second:
        values["service"]["observe"] = {"listen": second}
    found = [problem.setting for problem in checked(values).problems]
    assert found == (["service.observe.listen.port"] if clash else [])


def warned(checked: Check, values: Values) -> list[str]:
    report = checked(values)
    assert report.problems == ()
    assert report.settings is not None
    return [warning.setting for warning in report.warnings]


def test_a_uem_without_a_route_is_a_warning(checked: Check, good: Values) -> None:
    """It may be there for later; until then its devices get nothing."""
    good["uems"]["spare"] = good["uems"]["ws-one"] | {"webhook": None}
    assert warned(checked, good) == ["uems.spare"]


@pytest.mark.parametrize(
    ("member", "value", "setting"),
    [
        ("profiles", {"Aple": 12, "*": 13}, "profiles.Aple"),
        ("gates", {"platforms": ["Apple", "iOS"]}, "gates.platforms[1]"),
        ("profiles", {"Apple": 12, "WinRT": 13}, ""),
        ("gates", {"platforms": ["Android"], "require_compliant": True}, ""),
        ("gates", {"require_compliant": True}, ""),
    ],
)
def test_an_unknown_platform_is_a_warning(
    checked: Check, changed: Change, member: str, value: Any, setting: str
) -> None:
    """A UEM may have platforms that we do not know; a misspelt one gets nothing."""
    values = changed(f"{ROUTE}.{member}", value)
    assert warned(checked, values) == ([f"{ROUTE}.{setting}"] if setting else [])
