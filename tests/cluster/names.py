"""The cluster's names, for pods: the addresses behind a headless Service, and nothing else.

``python -m tests.cluster.names KUBECTL KUBECONFIG`` answers on the node's address until it is
ended. It stands in for the DNS server of a cluster, which is no part of Kubernetes.
"""

import json
import socket
import struct
import subprocess
import sys

from tests.cluster.configuration import DOMAIN
from tests.cluster.identities import ADDRESS

HEADER = struct.Struct(">HHHHHH")
ANSWERS = 0x8580
"""A response that is authoritative."""
UNKNOWN = 3
IPV4 = 1
FIELD = struct.Struct(">HHIH")
POINTER = 0xC00C
"""To the name in the question."""
SECONDS = 1


def question(query: bytes) -> tuple[str, int, bytes]:
    """Name and type that are asked for, and the question as it stands there."""
    labels, at = [], HEADER.size
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode("ascii"))
        at += size + 1
    (kind,) = struct.unpack_from(">H", query, at + 1)
    return ".".join(labels).lower(), kind, query[HEADER.size : at + 5]


def answer(query: bytes, command: tuple[str, ...]) -> bytes:
    """The response to one query."""
    name, kind, asked = question(query)
    found = addresses(name, command)
    records = [_record(one) for one in found or () if kind == IPV4]
    (number,) = struct.unpack_from(">H", query)
    flags = ANSWERS if found is not None else ANSWERS | UNKNOWN
    return HEADER.pack(number, flags, 1, len(records), 0, 0) + asked + b"".join(records)


def _record(address: str) -> bytes:
    data = socket.inet_aton(address)
    return struct.pack(">H", POINTER) + FIELD.pack(IPV4, 1, SECONDS, len(data)) + data


def addresses(name: str, command: tuple[str, ...]) -> list[str] | None:
    """Behind a Service ``NAME.NAMESPACE.svc``; None: there is no such name."""
    service, _, rest = name.partition(".")
    namespace, _, ending = rest.partition(".")
    if ending != f"svc.{DOMAIN}":
        return None
    asking = (*command, "-n", namespace, "get", "endpoints", service, "-o", "json")
    done = subprocess.run(asking, check=False, capture_output=True, text=True)
    if done.returncode:
        return None
    subsets = json.loads(done.stdout).get("subsets", [])
    return [one["ip"] for subset in subsets for one in subset.get("addresses", [])]


def main(kubectl: str, kubeconfig: str) -> None:
    """Answer one query after the other."""
    command = (kubectl, "--kubeconfig", kubeconfig)
    with socket.socket(type=socket.SOCK_DGRAM) as listening:
        listening.bind((ADDRESS, 53))
        while True:
            query, sender = listening.recvfrom(512)
            listening.sendto(answer(query, command), sender)


if __name__ == "__main__":
    main(*sys.argv[1:])
