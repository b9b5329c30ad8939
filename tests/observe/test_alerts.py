"""Alerts of the chart: each fires and stays silent where it should, and has a runbook."""

import json
import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from connector.core.metric_definitions import CATALOGUE
from connector.core.metrics import PREFIX, Histogram
from connector.observe.metrics import Build, PrometheusMetrics
from tests.conftest import Needs
from tests.docs.pages import RUNBOOKS
from tests.observe.alert_cases import CASES, ENDED, ENROLMENTS, IN_TIME, Case, Series
from tests.observe.rendered import METRIC, NAMESPACE, alerts, dashboard, groups, objects, queries
from tests.observe.test_metrics import NAMES


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rules of the chart, as Prometheus reads them."""
    folder = tmp_path_factory.mktemp("rules")
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups(folder)}), encoding="utf-8")
    return file


@cache
def _shipped(file: Path) -> tuple[dict[str, Any], ...]:
    return tuple(alerts(yaml.safe_load(file.read_text("utf-8"))["groups"]))


def _named(series: str) -> str:
    name, _, labels = series.partition("{")
    own = f'namespace="{NAMESPACE}",job="pki"'
    return f"{PREFIX}{name}{{{own}{',' if labels else ''}{labels or '}'}".replace("'", '"')


def _group(series: Series, query: str, at: str, found: Mapping[str, int]) -> dict[str, Any]:
    """A test of promtool: ``found`` are the values of the query at that time, by labels."""
    return {
        "interval": "1m",
        "input_series": [
            {"series": _named(one), "values": values} for one, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": at,
                "exp_samples": [
                    {"labels": labels, "value": value} for labels, value in found.items()
                ],
            }
        ],
    }


def _only(rules: Path, alert: str) -> list[dict[str, Any]]:
    """The groups with this alert and what it needs; all rules together take their time."""
    kept = [one for one in _shipped(rules) if one["alert"] == f"PkiConnector{alert}"]
    used = str(kept)
    found = yaml.safe_load(rules.read_text("utf-8"))["groups"]
    records = [
        one
        for group in found
        for one in group["rules"]
        if one.get("record", "none of ours") in used
    ]
    return [{"name": "records", "rules": records}, {"name": "alerts", "rules": kept}]


def _promtool(
    program: str, rules: list[dict[str, Any]], tests: list[dict[str, Any]], folder: Path
) -> None:
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": rules}), encoding="utf-8")
    file = folder / "tests.yaml"
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [program, "test", "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.alert}-{number}" for number, case in enumerate(CASES)]
)
def test_alert_fires_and_stays_silent(
    case: Case, rules: Path, tmp_path: Path, needs: Needs
) -> None:
    """With one set of series it is firing at the given time, with the other it is not."""
    firing = f'ALERTS{{alertname="PkiConnector{case.alert}",alertstate="firing"}}'
    tests = [
        _group(case.fires, f"clamp_max(count({firing}), 1)", case.at, {"{}": 1}),
        _group(case.silent, firing, case.at, {}),
    ]
    _promtool(needs("promtool"), _only(rules, case.alert), tests, tmp_path)


@pytest.mark.slow
def test_the_objective_burns_at_several_speeds(rules: Path, tmp_path: Path, needs: Needs) -> None:
    """The more enrolments are late, the more windows say so; once all are in time, the short end.

    Of ten enrolments a minute some are in time, for two hours and a half; then all for 30 minutes.
    """
    burning = {
        (0, "2h30m"): {"1h", "6h", "1d"},
        (6, "2h30m"): {"6h", "1d"},
        (8, "2h30m"): {"1d"},
        (9, "2h30m"): set(),
        (0, "3h"): {"1d"},
    }
    query = (
        'count by (window) (ALERTS{alertname="PkiConnectorDeliverySloBurn",alertstate="firing"})'
    )
    tests = [
        _group(
            {
                ENROLMENTS: "0+10x180",
                IN_TIME: f"0+{good}x150 {150 * good + 10}+10x29",
                ENDED: "0x180",
            },
            query,
            at,
            {f'{{window="{window}"}}': 1 for window in windows},
        )
        for (good, at), windows in burning.items()
    ]
    _promtool(needs("promtool"), _only(rules, "DeliverySloBurn"), tests, tmp_path)


@pytest.mark.slow
def test_promtool_accepts_rules_and_metrics(rules: Path, needs: Needs) -> None:
    """Names, types and help texts of a scrape, and the syntax of every rule."""
    promtool = needs("promtool")
    subprocess.run([promtool, "check", "rules", str(rules)], check=True, capture_output=True)
    names = NAMES._replace(credentials=("tls-server",), feeds={"uem:acme": ("device_enrolled",)})
    scrape = generate_latest(PrometheusMetrics(names, Build("1.0", "abc", "3.11")).registry)
    command = [promtool, "check", "metrics"]
    done = subprocess.run(command, input=scrape, capture_output=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


@pytest.mark.slow
def test_every_alert_has_its_case_its_runbook_and_its_words(rules: Path) -> None:
    """And no case or runbook is about an alert that is not there."""
    shipped = {one["alert"] for one in _shipped(rules)}
    assert shipped == {f"PkiConnector{case.alert}" for case in CASES}
    assert shipped == {page.stem for page in RUNBOOKS}
    for one in _shipped(rules):
        assert {"summary", "description", "runbook_url"} == set(one["annotations"]), one["alert"]
        assert one["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{one['alert']}.md")
        assert one["labels"]["severity"] in {"critical", "warning"}


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.stem)
def test_runbook_says_what_it_means_and_what_to_do(page: Path) -> None:
    """Its parts are the same in each, and every page that it points to is there."""
    text = page.read_text("utf-8")
    parts = ["What it means", "What to look at", "What to type"]
    assert re.findall(r"^#+ (.+)$", text, re.MULTILINE) == [page.stem, *parts]
    assert "`pki-connector " in text or "`kubectl " in text
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / link).is_file(), link


def _samples() -> set[str]:
    """The names of all samples that a scrape of ours can have."""
    found = set()
    for metric in CATALOGUE:
        endings = ("_bucket", "_count", "_sum") if isinstance(metric, Histogram) else ("",)
        found |= {f"{PREFIX}{metric.name}{ending}" for ending in endings}
    return found


@pytest.mark.slow
def test_rules_use_only_metrics_that_exist(rules: Path) -> None:
    """A renamed metric would leave an alert that never fires."""
    used = set(METRIC.findall(re.sub(r"pki_connector:\w+", "", rules.read_text("utf-8"))))
    assert used - _samples() == set()
    assert len(used) > 20


def test_runbooks_name_only_metrics_that_exist() -> None:
    """What a page tells to look at can be found; histograms are named without their endings."""
    known = _samples() | {f"{PREFIX}{metric.name}" for metric in CATALOGUE}
    for page in RUNBOOKS:
        assert set(METRIC.findall(page.read_text("utf-8"))) <= known, page.name


@pytest.mark.slow
def test_chart_can_leave_out_and_label_alerts(tmp_path: Path) -> None:
    """By name; and where the rule and the monitor lie is a value."""
    changed = {"disabled": ["PkiConnectorDown"], "alertLabels": {"team": "keys"}, "namespace": "m"}
    rule = objects(tmp_path, changed)["PrometheusRule"]
    assert rule["metadata"]["namespace"] == "m"
    left = list(alerts(rule["spec"]["groups"]))
    assert "PkiConnectorDown" not in {one["alert"] for one in left}
    assert {one["labels"]["team"] for one in left} == {"keys"}


def test_dashboard_uses_only_metrics_that_exist() -> None:
    """In queries and variables; those of process and collector are the client library's."""
    text = json.dumps(dashboard())
    assert set(METRIC.findall(text)) - _samples() == set()
    assert len({query.panel for query in queries()}) > 30
    rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
    assert rows == [
        "SLO",
        "Pipeline by stage",
        "Backends",
        "Copies and brakes",
        "Expiries",
        "Runtime",
    ]
    names = [variable["name"] for variable in dashboard()["templating"]["list"]]
    assert names == ["datasource", "namespace", "target"]


@pytest.mark.slow
def test_chart_gives_dashboard_and_scrape_to_the_cluster(tmp_path: Path) -> None:
    """The dashboard as it is in the file, and the port that the pods publish metrics on."""
    made = objects(tmp_path)
    (text,) = made["ConfigMap"]["data"].values()
    assert json.loads(text) == dashboard()
    (endpoint,) = made["ServiceMonitor"]["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("observe", "/metrics")
