"""The client's address of a request, behind trusted proxies."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp import hdrs, web

Networks = Sequence[IPv4Network | IPv6Network]

IPV6_SITE = 64
"""Prefix length by which IPv6 addresses are counted: a customer gets a whole /64."""


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a node of RFC 7239 section 6, which proxies write into X-Forwarded-For, too.

    ``192.0.2.1``, ``192.0.2.1:49152``, ``2001:db8::1``, ``[2001:db8::1]``, ``[2001:db8::1]:443``,
    each perhaps in quotation marks. An IPv6 address that stands for an IPv4 address is that one.

    Returns:
        None for everything else, such as a name, ``unknown`` or ``_hidden``.
    """
    node = text.strip().strip('"')
    if node.startswith("["):
        node = node[1:].partition("]")[0]
    elif node.count(":") == 1:
        node = node.partition(":")[0]
    try:
        parsed = ip_address(node.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed


def is_within(address: str, networks: Networks) -> bool:
    """Whether an address belongs to one of the networks; what is no address does not."""
    parsed = address_of(address)
    return parsed is not None and any(parsed in network for network in networks)


def site_of(address: str) -> str:
    """The unit in which failures are counted: one IPv4 address, or a whole IPv6 /64."""
    parsed = address_of(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network(f"{parsed}/{IPV6_SITE}", strict=False))
    return str(parsed or "")


def client_address(request: web.BaseRequest, proxies: Networks) -> str:
    """The client's address of a request."""
    forwarded = request.headers.getall(hdrs.X_FORWARDED_FOR, ())
    return behind_proxies(request.remote or "", forwarded, proxies)


def behind_proxies(peer: str, forwarded: Sequence[str], proxies: Networks) -> str:
    """The peer, or behind trusted proxies the last address they name that is not theirs.

    Only what a trusted proxy itself appended is used; the sender can forge earlier entries.
    Where a proxy names no address, its own is the answer: an unreadable header must not put the
    clients of different proxies together.

    Args:
        peer: who is connected.
        forwarded: the values of X-Forwarded-For, in their order.
        proxies: those we trust.
    """
    address = peer
    for named in reversed([node for node in ",".join(forwarded).split(",") if node.strip()]):
        parsed = address_of(named)
        if parsed is None or not is_within(address, proxies):
            break
        address = str(parsed)
    return address
