"""Whose address a request comes from, in every way that proxies write it."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.sources.client_address import address_of, behind_proxies, site_of

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48"))
Form = Callable[[IPv4Address | IPv6Address, int], str]


def bare(address: IPv4Address | IPv6Address, _port: int) -> str:
    return str(address)


def with_port(address: IPv4Address | IPv6Address, port: int) -> str:
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def bracketed(address: IPv4Address | IPv6Address, _port: int) -> str:
    return str(address) if address.version == 4 else f"[{address}]"


def quoted(address: IPv4Address | IPv6Address, port: int) -> str:
    return f' "{with_port(address, port)}"'


FORMS = (bare, with_port, bracketed, quoted)
ADDRESSES = st.ip_addresses().filter(
    lambda one: (
        not any(one in network for network in PROXIES)
        and (isinstance(one, IPv4Address) or (one.ipv4_mapped is None and one.scope_id is None))
    )
)


def seen(*forwarded: str, peer: str = "10.0.0.1") -> str:
    """The client of a request that came from ``peer`` with these headers."""
    return behind_proxies(peer, forwarded, PROXIES)


@given(address=ADDRESSES, port=st.integers(1, 65535), form=st.sampled_from(FORMS))
def test_every_form_of_an_address_is_the_same_client(
    address: IPv4Address | IPv6Address, port: int, form: Form
) -> None:
    """With or without a port, brackets, quotation marks; also behind a second proxy with a port."""
    written = form(address, port)
    assert address_of(written) == address
    assert seen(written) == str(address)
    assert seen(f"203.0.113.9, {written}", f"10.0.0.7:{port}, [2001:db8:ffff::1]:{port}") == str(
        address
    )
    assert site_of(written) == site_of(str(address)) != ""


@given(text=st.text(st.characters(codec="ascii", exclude_categories=["C"]), max_size=40))
def test_what_is_no_address_counts_for_the_peer(text: str) -> None:
    """Never for all clients together: the clients of two proxies are not mixed."""
    nodes = [node for node in text.split(",") if node.strip()]
    if not nodes or address_of(nodes[-1]) is None:
        assert seen(text, peer="10.0.0.1") == "10.0.0.1"
        assert seen(text, peer="10.0.0.2") == "10.0.0.2"


NAMES = ["unknown", "_hidden", "client.example", "[", "1.2.3.4.5", ":", ""]


@pytest.mark.parametrize("node", NAMES)
def test_names_are_no_addresses(node: str) -> None:
    """RFC 7239 allows them; no client can be counted by them."""
    assert address_of(node) is None


def test_only_listed_proxies_are_believed() -> None:
    """Other peers may write what they like."""
    assert seen("192.0.2.1", peer="198.51.100.1") == "198.51.100.1"
    assert seen("192.0.2.1, 198.51.100.7:1, 10.0.0.2:2") == "198.51.100.7"
