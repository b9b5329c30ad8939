"""Whose address a request comes from, seen through the proxies that we trust."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import hdrs, web

Networks = Sequence[IPv4Network | IPv6Network]


def is_within(address: str, networks: Networks) -> bool:
    """Whether an address belongs to one of the networks; what is no address does not."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def client_address(request: web.BaseRequest, proxies: Networks) -> str:
    """The peer, or behind trusted proxies the last address they name that is not theirs.

    Only what a trusted proxy itself appended is believed; earlier entries are the sender's words.
    """
    address = request.remote or ""
    forwarded = ",".join(request.headers.getall(hdrs.X_FORWARDED_FOR, ()))
    for named in reversed(forwarded.split(",")):
        if not is_within(address, proxies):
            break
        address = named.strip() or address
    return address
