"""Granting rights at a broker: as an administrator pastes them, and fast for many cases."""

import asyncio
import shlex
import subprocess
from collections.abc import Iterable, Iterator

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from connector.journal.kafka.acls import Acl, Operation
from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.kafka_program import class_path, java

RESOURCES = {"topic": 2, "group": 3, "transactional-id": 5}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "DescribeConfigs": 10}
ALLOW = 3

Right = tuple[Acl, str, Operation]
"""One operation on one name of an entry."""


class _Granted(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 30
    API_VERSION = 1
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))),
    )


class _Grant1(RequestStruct):  # type: ignore[misc] # as above
    """CreateAcls, version 1 (kafka.apache.org/protocol)."""

    API_KEY = 30
    API_VERSION = 1
    RESPONSE_TYPE = _Granted
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                ("resource_pattern_type", Int8),
                ("principal", String("utf-8")),
                ("host", String("utf-8")),
                ("operation", Int8),
                ("permission_type", Int8),
            ),
        )
    )


class _Grant(Request[_Grant1]):  # type: ignore[misc] # as above
    API_KEY = 30

    def __init__(self, rights: Iterable[Right]) -> None:
        self._rights = rights

    def build(self, request_struct_class: type[_Grant1]) -> _Grant1:
        return request_struct_class(
            [
                (
                    RESOURCES[one.resource],
                    name,
                    PATTERNS[one.pattern],
                    one.principal,
                    "*",
                    OPERATIONS[operation],
                    ALLOW,
                )
                for one, name, operation in self._rights
            ]
        )


def rights(acls: Iterable[Acl]) -> Iterator[Right]:
    """Every single right in some entries."""
    for one in acls:
        for name in one.names:
            for operation in one.operations:
                yield one, name, operation


async def grant(admin: AIOKafkaAdminClient, wanted: Iterable[Right]) -> None:
    """Grant them all at once."""
    answer = await admin._send_to_controller(_Grant(wanted))
    assert {code for code, _ in answer.results} == {0}


async def paste(brokers: Brokers, command: str) -> None:
    """Run a printed command line of kafka-acls as an administrator would."""
    program, *words = shlex.split(command)
    assert program == "kafka-acls"
    tool = [java(), "-cp", await class_path(), "org.apache.kafka.tools.AclCommand", *words]
    assert brokers.bootstrap in words
    done = await asyncio.to_thread(
        subprocess.run, tool, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
