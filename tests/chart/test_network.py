"""What the pods may reach, and who may reach them."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.chart.rendering import (
    CHART,
    CI,
    KAFKA,
    RELEASE,
    SQLITE,
    Document,
    called,
    of_kind,
    only,
    template,
)

pytestmark = [pytest.mark.chart, pytest.mark.slow]
CONNECTOR = f"{RELEASE}-pki-connector"


def egress(values: Path, *options: str) -> list[tuple[set[Any], Any]]:
    return rules(called(template(values, *options), "NetworkPolicy", CONNECTOR)["spec"]["egress"])


def rules(egress: list[dict[str, Any]]) -> list[tuple[set[Any], Any]]:
    return [({one["port"] for one in rule["ports"]}, rule.get("to")) for rule in egress]


def test_the_network_is_open_for_what_is_configured_alone() -> None:
    """Ports come from the addresses in the settings; a proxy stands for what is behind it."""
    cluster = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kafka"}}}
    assert egress(KAFKA.with_name("kafka-mtls-values.yaml")) == [
        ({53}, None),
        ({9094}, [cluster]),
        ({8443}, [{"ipBlock": {"cidr": "192.0.2.10/32"}}]),
        ({3128}, None),
    ]
    assert egress(KAFKA)[1] == ({9093}, [{"ipBlock": {"cidr": "2001:db8::1/128"}}])
    several = egress(KAFKA.with_name("several-tenants-values.yaml"))
    assert several[1:] == [
        ({9443}, [{"ipBlock": {"cidr": "192.0.2.0/24"}}]),
        ({443}, None),
        ({443}, None),
        ({443}, None),
    ]
    assert egress(KAFKA.with_name("demo-values.yaml")) == [({53}, None)]


def test_peers_of_a_proxy_stand_for_those_of_the_upstream_behind_it() -> None:
    """The connector asks the proxy alone."""
    peer = "networkPolicy.upstreamTo.{}.corp[0].ipBlock.cidr={}"
    given = (peer.format("proxies", "192.0.2.1/32"), peer.format("uems", "192.0.2.2/32"))
    options = [part for one in given for part in ("--set", one)]
    assert egress(KAFKA.with_name("kafka-mtls-values.yaml"), *options)[3] == (
        {3128},
        [{"ipBlock": {"cidr": "192.0.2.1/32"}}],
    )


def test_names_are_left_to_a_policy_that_knows_them(tmp_path: Path) -> None:
    """With the example of the README; addresses and given peers stay open here."""
    readme = (CHART / "README.md").read_text("utf-8")
    ((example,),) = (re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL),)
    file = tmp_path / "by-name.yaml"
    file.write_text(example)
    mtls = KAFKA.with_name("kafka-mtls-values.yaml")
    assert [ports for ports, _ in egress(mtls, "--values", str(file))] == [{53}, {9094}, {8443}]
    objects = template(SQLITE, "--values", str(file))
    policy = only(objects, "CiliumNetworkPolicy")
    assert policy["metadata"]["name"] == CONNECTOR
    labels = pods_of(only(objects, "StatefulSet"))
    assert policy["spec"]["endpointSelector"]["matchLabels"].items() <= labels.items()
    assert egress(SQLITE, "--values", str(file)) == [({53}, None)]


def pods_of(workload: Document) -> Document:
    """The labels of a workload's pods."""
    metadata = workload if workload["kind"] == "Pod" else workload["spec"]["template"]
    labels: Document = metadata["metadata"]["labels"]
    return labels


@pytest.mark.parametrize("values", CI, ids=lambda file: file.stem)
def test_all_pods_have_a_policy_of_their_own(values: Path) -> None:
    """Also those of hooks, which have the same Secrets; both directions are closed for each."""
    objects = template(values)
    policies = of_kind(objects, "NetworkPolicy")
    if values.stem == "everything-off-values":
        assert not policies
        return
    for workload in of_kind(objects, "StatefulSet", "Job", "Pod"):
        (spec,) = [
            one["spec"]
            for one in policies
            if one["spec"]["podSelector"]["matchLabels"].items() <= pods_of(workload).items()
        ]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        assert (workload["kind"] == "StatefulSet") is bool(spec.get("ingress"))


def test_the_hook_reaches_the_brokers_alone() -> None:
    """Its policy is a hook as well: before an installation no other object is there."""
    objects = template(KAFKA.with_name("kafka-mtls-values.yaml"))
    policy = called(objects, "NetworkPolicy", f"{CONNECTOR}-kafka-init")
    hook = only(objects, "Job")["metadata"]["annotations"]
    assert policy["metadata"]["annotations"]["helm.sh/hook"] == hook["helm.sh/hook"]
    assert int(policy["metadata"]["annotations"]["helm.sh/hook-weight"]) < int(
        hook["helm.sh/hook-weight"]
    )
    assert [ports for ports, _ in rules(policy["spec"]["egress"])] == [{53}, {9094}]


def test_the_test_reaches_the_probes_where_only_prometheus_may() -> None:
    """`helm test` failed for those who limit who reads the metrics."""
    given = "networkPolicy.observeFrom[0].podSelector.matchLabels.app=prometheus"
    objects = template(SQLITE, "--set", given, "--set", "config.service.observe.listen.port=9999")
    (_, observe) = called(objects, "NetworkPolicy", CONNECTOR)["spec"]["ingress"]
    tester = pods_of(only(objects, "Pod"))
    prometheus, test = (one["podSelector"]["matchLabels"] for one in observe["from"])
    assert prometheus == {"app": "prometheus"}
    assert test.items() <= tester.items()
    policy = called(objects, "NetworkPolicy", f"{CONNECTOR}-test")
    (_, (ports, (connector,))) = rules(policy["spec"]["egress"])
    assert ports == {9999}
    labels = pods_of(only(objects, "StatefulSet"))
    assert connector["podSelector"]["matchLabels"].items() <= labels.items()
    without = template(SQLITE, "--set", given, "--set", "tests.enabled=false")
    (_, observe) = only(without, "NetworkPolicy")["spec"]["ingress"]
    assert len(observe["from"]) == 1
