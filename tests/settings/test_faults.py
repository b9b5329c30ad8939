"""Settings that are refused: each fault by its own path, place and code, all in one report."""

from pathlib import Path
from typing import Any

import pytest

from connector.settings.report import Problem
from tests.settings.examples import Change, Check, Values

DATA = Path(__file__).parent.parent / "data"
UNDECIDED = (
    "uems.ws-one.archived_mode",
    "routes.staff.identity.person_attribute",
    "routes.staff.identity.agreeing_attribute",
    "routes.staff.retention",
    "routes.staff.profiles",
    "routes.staff.other_devices",
    "routes.staff.unknown_set",
    "routes.staff.signing",
)
KAFKA = {"type": "kafka", "bootstrap_servers": ["kafka.example.com:9093"]}
SERVER = "journal.bootstrap_servers[0]"
SASL = "journal.security.sasl"
LOGIN = {"mechanism": "SCRAM-SHA-256", "user": "u", "password_file": "missing.password"}


def sasl(**members: str) -> dict[str, object]:
    return {"security": {"tls": {}, "sasl": members}}


def only(problems: tuple[Problem, ...]) -> Problem:
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


@pytest.mark.parametrize("setting", UNDECIDED)
def test_a_setting_without_default_is_asked_for(
    checked: Check, changed: Change, setting: str
) -> None:
    """Each setting that must be decided is asked for by name, with what to consider."""
    problem = only(checked(changed(setting, None)).problems)
    assert problem.setting == setting
    assert problem.wrong == "is not decided and has no default"
    assert "Consider: " in problem.action
    assert ".yaml:" in problem.place


def test_all_undecided_settings_are_in_one_report(checked: Check, good: Values) -> None:
    """All of them at once, also when the section around them is missing."""
    route = good["routes"]["staff"]
    good["routes"]["staff"] = {"uem": route["uem"], "ca": route["ca"]}
    del good["uems"]["ws-one"]["archived_mode"]
    problems = checked(good).problems
    assert set(UNDECIDED) == {problem.setting for problem in problems}
    lines = [int(problem.place.rpartition(":")[2]) for problem in problems]
    assert sorted(lines) == lines


@pytest.mark.parametrize(
    ("path", "value", "setting", "code", "wrong"),
    [
        ("routes.staff.uem", "nope", "routes.staff.uem", "CFG-001", "names no entry of uems"),
        ("routes.staff.ca", "nope", "routes.staff.ca", "CFG-001", "names no entry of cas"),
        ("routes.staff.approvals", 2, "routes.staff.approvals", "CFG-005", "not available"),
        ("routes.staff.retention", 48, "routes.staff.retention", "CFG-001", "with its unit"),
        ("routes.staff.retention", "0s", "routes.staff.retention", "CFG-001", "than 0s"),
        (
            "routes.staff.hand_over_limit",
            "11m",
            "routes.staff.hand_over_limit",
            "CFG-001",
            "to 10m",
        ),
        ("uems.ws-one.address", "http://uem.example.com", "uems.ws-one.address", "CFG-001", "http"),
        ("uems.ws-one.type", "nope", "uems.ws-one.type", "CFG-004", "no installed plug-in"),
        ("uems.ws-one.type", "broken", "uems.ws-one.type", "CFG-004", "cannot be loaded"),
        ("uems.ws-one.verify", False, "uems.ws-one.verify", "CFG-001", "is not a setting"),
        ("uems.BAD", {"type": "phones"}, "uems.BAD", "CFG-001", "match pattern"),
        ("service.intake.plain_from", ["10.0.0.0/8"], "service.intake", "CFG-001", "not both"),
        ("journal.ids_kept", "6d", "journal.ids_kept", "CFG-001", "greater than"),
        ("journal.type", "postgres", "journal.type", "CFG-001", "not a kind of journal"),
        ("testing.crash_at", "act.befor", "testing.crash_at", "CFG-001", "'act.before'"),
        ("journal", {"type": "kafka"}, "journal.bootstrap_servers", "CFG-001", "is not set"),
        ("journal", KAFKA, "journal", "CFG-001", "security.tls is needed"),
        ("journal", KAFKA | {"bootstrap_servers": ["a"]}, SERVER, "CFG-001", "match pattern"),
        ("journal", KAFKA | {"replicas": 3}, "journal.replicas", "CFG-001", "is not a setting"),
        ("journal", KAFKA | sasl(mechanism="PLAIN"), SASL, "CFG-001", "needs user"),
        ("journal", KAFKA | sasl(mechanism="OAUTHBEARER"), SASL, "CFG-001", "needs token_file"),
        ("journal", KAFKA | sasl(**LOGIN), f"{SASL}.password_file", "CFG-003", "cannot be used"),
        ("journal", KAFKA | sasl(password="x"), f"{SASL}.password", "CFG-002", "secret"),
        ("audit.key_file", "missing.key", "audit.key_file", "CFG-003", "cannot be used"),
        ("cas.main.ca_file", "audit.key", "cas.main.ca_file", "CFG-003", "no PEM certificate"),
        (
            "cas.main.webhook.secret_files",
            ["ca.secret", "api.password"],
            "cas.main.webhook.secret_files[1]",
            "CFG-003",
            "no signing secret",
        ),
        (
            "cas.main.client_key_file",
            "audit.key",
            "cas.main.client_certificate_file",
            "CFG-001",
            "belongs to client_key_file",
        ),
        (
            "service.intake.tls.key_file",
            "audit.key",
            "service.intake.tls.key_file",
            "CFG-003",
            "do not load as a PEM pair",
        ),
        (
            "uems.ws-one.pull",
            {"every": "30"},
            "uems.ws-one.pull.every",
            "CFG-001",
            "a duration with its unit",
        ),
        (
            "cas.main.pull",
            {"every": "30s"},
            "cas.main.pull",
            "CFG-001",
            "not available for its type",
        ),
        (
            "uems.ws-one.webhook.credentials",
            [{"user": "a:b", "password_file": "api.password"}],
            "uems.ws-one.webhook.credentials[0].user",
            "CFG-001",
            "match pattern",
        ),
    ],
)
def test_a_fault_is_named(
    checked: Check, changed: Change, path: str, value: Any, setting: str, code: str, wrong: str
) -> None:
    """A fault is reported with the setting's path, its line, a code and what is wrong."""
    problems = checked(changed(path, value)).problems
    problem = next(problem for problem in problems if problem.setting == setting)
    assert problem.code == code
    assert wrong in problem.wrong
    assert Path(problem.place.rpartition(":")[0]).name == "connector.yaml"
    assert problem.action


def test_an_unknown_type_comes_with_those_installed(checked: Check, changed: Change) -> None:
    """So that a misspelt one can be put right without another command."""
    action = only(checked(changed("uems.ws-one.type", "phnoes")).problems).action
    assert action.startswith("Did you mean phones? ")
    assert action.endswith(": phones.")
    action = only(checked(changed("cas.main.type", "adcs")).problems).action
    assert action.startswith("Install the plug-in")
    assert action.endswith(": vault.")


def test_the_line_is_that_of_the_setting(checked: Check) -> None:
    """The place is the line on which the setting stands."""
    report = checked("audit:\n  key_file: audit.key\njournal:\n  partitions: many\n")
    problem = next(found for found in report.problems if found.setting == "journal.partitions")
    assert problem.place.endswith("connector.yaml:4")


def test_a_misspelt_name_is_put_right(checked: Check, changed: Change) -> None:
    """An unknown member is refused, and the one that was probably meant is named."""
    problem = only(checked(changed("service.intake.body_limits", 1)).problems)
    assert problem.action == "Did you mean body_limit?"
    problem = only(checked(changed("routes.staff.hand-over-limit", "1m")).problems)
    assert problem.action == "Did you mean hand_over_limit?"


@pytest.mark.parametrize("second", [{"mail_domains": ["example.com"]}, {}])
def test_a_route_that_is_never_reached_is_refused(
    checked: Check, good: Values, second: Values
) -> None:
    """Of two routes for the same users the later one can never be taken."""
    staff = good["routes"]["staff"]
    first = {key: value for key, value in staff.items() if key != "mail_domains"}
    good["routes"] = {"all": first | ({} if second else {"groups": ["a"]}), "late": staff | second}
    report = checked(good)
    if second:
        assert only(report.problems).setting == "routes.late"
    else:
        assert report.problems == ()


def test_a_route_for_everybody_may_come_last(checked: Check, good: Values) -> None:
    """A route without groups and domains behind narrower ones is reached by all others."""
    staff = good["routes"]["staff"]
    good["routes"]["rest"] = {k: v for k, v in staff.items() if k != "mail_domains"}
    assert checked(good).problems == ()


def test_an_empty_secret_file_is_refused(checked: Check, good: Values, tmp_path: Path) -> None:
    """A secret file that is empty, as after a faulty mount, is found at start."""
    (tmp_path / "hook.password").write_text("\n")
    problem = only(checked(good).problems)
    assert problem.setting == "uems.ws-one.webhook.credentials[0].password_file"
    assert problem.code == "CFG-003"


def test_a_short_audit_key_is_refused(checked: Check, good: Values, tmp_path: Path) -> None:
    """The audit key must be long enough to be one."""
    (tmp_path / "audit.key").write_text("short")
    assert "fewer than 32" in only(checked(good).problems).wrong


@pytest.mark.parametrize(
    ("variable", "code"),
    [
        ("PKI_CONNECTOR_UEMS__WS_ONE__PASSWORD", "CFG-002"),
        ("PKI_CONNECTOR_UEMS__WS_ONE__TENANT_CODE", "CFG-002"),
        ("PKI_CONNECTOR_SRVICE__LOG_LEVEL", "CFG-001"),
        ("PKI_CONNECTOR_SERVICE", "CFG-001"),
        ("PKI_CONNECTOR_SERVICE__LOG_LEVL", "CFG-001"),
    ],
)
def test_a_faulty_variable_is_named(
    checked: Check, good: Values, marker: str, variable: str, code: str
) -> None:
    """A secret in the environment, or a name that is no setting, is refused without its value."""
    problems = checked(good, {variable: marker}).problems
    assert [problem.code for problem in problems] == [code]
    assert problems[0].place == f"environment {variable}"
    assert marker not in str(problems)


def test_a_secret_inside_a_list_in_the_environment_is_refused(
    checked: Check, good: Values, marker: str
) -> None:
    """Also a secret that hides in a JSON value."""
    text = f'[{{"user": "a", "password": "{marker}"}}]'
    problems = checked(good, {"PKI_CONNECTOR_UEMS__WS_ONE__WEBHOOK__CREDENTIALS": text}).problems
    assert only(problems).code == "CFG-002"


def test_values_are_never_echoed(checked: Check, good: Values, marker: str) -> None:
    """The report does not repeat a value, in any wrong place."""
    good["uems"]["ws-one"] |= {"password": marker, "rate": marker, "address": marker}
    good["routes"]["staff"] |= {"signing": marker, "retention": marker, "gates": marker}
    good["cas"]["main"]["type"] = marker
    good["service"]["log_level"] = marker
    report = checked(good)
    assert len(report.problems) == 8
    assert marker not in str(report)
    secret = next(found for found in report.problems if found.setting == "uems.ws-one.password")
    assert secret.code == "CFG-002"
    assert "password_file" in secret.action


def test_a_file_of_issuers_is_read_as_the_run_reads_it(
    checked: Check, changed: Change, tmp_path: Path
) -> None:
    """An odd root in it is no fault; what a delivery could not use is, and which one it is."""
    file = tmp_path / "issuers.pem"
    odd = (DATA / "certificates" / "issuers-with-odd-root.pem").read_bytes()
    file.write_bytes(odd)
    assert checked(changed("routes.staff.issuers_file", str(file))).problems == ()
    last = odd.rindex(b"-----BEGIN") + 40
    for content, wrong in (
        (odd.decode().encode("utf-16"), "holds no PEM certificate"),
        (odd[:last] + b"AAAA" + odd[last + 4 :], "cannot be read"),
    ):
        file.write_bytes(content)
        problem = only(checked(changed("routes.staff.issuers_file", str(file))).problems)
        assert (problem.setting, problem.code) == ("routes.staff.issuers_file", "CFG-003")
        assert wrong in problem.wrong


def test_mail_domains_are_compared_in_their_canonical_form(checked: Check, good: Values) -> None:
    """A route for a domain that an earlier one serves in another spelling is never reached."""
    good["routes"]["staff"]["mail_domains"] = ["möbel.example"]
    second = {**good["routes"]["staff"], "mail_domains": ["xn--mbel-5qa.example"]}
    good["routes"]["second"] = second
    assert "never reached" in only(checked(good).problems).wrong


@pytest.mark.parametrize("secret", ["whsec_{}", "whsec_a/{}", "{}"])
def test_a_secret_in_the_place_of_its_file_is_not_repeated(
    checked: Check, changed: Change, good: Values, marker: str, secret: str
) -> None:
    """From the file and from the environment; the setting and its place say enough."""
    value = secret.format(marker)
    variable = {"PKI_CONNECTOR_AUDIT__KEY_FILE": value}
    for report in (checked(changed("audit.key_file", value)), checked(good, variable)):
        problem = only(report.problems)
        assert (problem.setting, problem.code) == ("audit.key_file", "CFG-003")
        assert marker not in str(report.problems)
