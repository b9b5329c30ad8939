"""Making a URL of which no part can be taken for another."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from yarl import URL

UNADDRESSABLE = frozenset({"", ".", ".."})
"""A path cannot hold these as a segment: they are dropped or climb (RFC 3986 section 5.2.4)."""


def resource(base: str, segments: Sequence[str], query: Mapping[str, str]) -> URL:
    """The URL below ``base`` with each segment and each query part percent-encoded by itself.

    Raises:
        ValueError: a segment is empty, ``.`` or ``..``, or cannot be written as UTF-8.
    """
    if not UNADDRESSABLE.isdisjoint(segments):
        raise ValueError("no path can hold this identifier")
    path = "/".join(quote(segment, safe="") for segment in segments)
    return URL(f"{base}/{path}{_query(query)}", encoded=True)


def _query(query: Mapping[str, str]) -> str:
    return f"?{urlencode(query, quote_via=quote)}" if query else ""
