"""The hook that checks the topics: when it runs, and as whom."""

import pytest

from tests.chart.rendering import KAFKA, only, pod_spec, template

pytestmark = [pytest.mark.chart, pytest.mark.slow]


def test_the_hook_comes_before_the_pods_unless_the_chart_makes_its_secrets() -> None:
    """A Secret that the release makes is not there before the installation."""
    before = only(template(KAFKA), "Job")["metadata"]["annotations"]["helm.sh/hook"]
    made = template(KAFKA.with_name("external-secrets-values.yaml"))
    after = only(made, "Job")
    assert before == "pre-install,pre-upgrade"
    assert after["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    assert pod_spec(after)["containers"][0]["args"] == ["kafka", "init", "--dry-run"]


def test_the_hook_logs_in_as_the_pods_do() -> None:
    """With a token, brokers know the ServiceAccount, which the chart makes with everything else."""
    values = KAFKA.with_name("external-secrets-values.yaml")
    objects = template(values)
    account = only(objects, "ServiceAccount")["metadata"]["name"]
    for kind in ("StatefulSet", "Job", "Pod"):
        assert pod_spec(only(objects, kind))["serviceAccountName"] == account
    token = ("secrets.kafka.existingSecret=", "secrets.kafka.serviceAccountToken.audience=kafka")
    alone = [part for one in token for part in ("--set", one)]
    hook = only(template(KAFKA, *alone), "Job")
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    others = ("--set", "serviceAccount.create=false", "--set", "serviceAccount.name=theirs")
    hook = only(template(KAFKA, *alone, *others), "Job")
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert pod_spec(hook)["serviceAccountName"] == "theirs"
    assert "serviceAccountName" not in pod_spec(only(template(KAFKA), "Job"))
