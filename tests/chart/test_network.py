"""What the pods may reach, and who may reach them."""

from pathlib import Path
from typing import Any

import pytest

from tests.chart.rendering import KAFKA, only, template

pytestmark = [pytest.mark.chart, pytest.mark.slow]


def egress(values: Path, *options: str) -> list[tuple[set[Any], Any]]:
    policy = only(template(values, *options), "NetworkPolicy")["spec"]
    return [({one["port"] for one in rule["ports"]}, rule.get("to")) for rule in policy["egress"]]


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
