"""The rights that the connector's user needs, no more: for ``kafka-acls`` and for machines.

Names are Kafka's ("Authorization using ACLs" in its manual). Topics, the group and transactional
ids all begin with the prefix, so that rights for other prefixes give nothing here.
"""

import shlex
from typing import Literal

from connector.core.model import Record
from connector.journal.kafka.names import Names

Operation = Literal["Read", "Write", "Describe", "DescribeConfigs", "Create"]
Resource = Literal["topic", "group", "transactional-id"]


class Acl(Record):
    """What a principal may do with one resource, or with all whose names begin like it."""

    principal: str
    resource: Resource
    name: str
    pattern: Literal["literal", "prefixed"]
    operations: tuple[Operation, ...]

    def command(self, servers: str) -> str:
        """The ``kafka-acls`` command line (for a shell) that grants it."""
        words = ["kafka-acls", "--bootstrap-server", servers, "--add"]
        words += ["--allow-principal", self.principal]
        for operation in self.operations:
            words += ["--operation", operation]
        words += [f"--{self.resource}", self.name, "--resource-pattern-type", self.pattern]
        return shlex.join(words)


def acls(names: Names, principal: str, *, creator: bool = False) -> tuple[Acl, ...]:
    """What the service needs; with ``creator`` also what ``kafka init`` needs to make topics.

    ``principal`` is the user as the brokers know it: ``User:NAME``, or with mutual TLS
    ``User:`` and the certificate's subject.
    """
    topics: tuple[Operation, ...] = ("Read", "Write", "Describe", "DescribeConfigs")
    wanted: tuple[tuple[Resource, str, Literal["literal", "prefixed"], tuple[Operation, ...]], ...]
    wanted = (
        *(
            ("topic", topic, "literal", (*topics, "Create") if creator else topics)
            for topic in names.topics
        ),
        ("group", names.group, "literal", ("Read",)),
        ("transactional-id", names.transactions, "prefixed", ("Write", "Describe")),
    )
    return tuple(
        Acl(principal=principal, resource=kind, name=name, pattern=pattern, operations=operations)
        for kind, name, pattern, operations in wanted
    )
