"""The rights that the connector's user needs, no more: for ``kafka-acls`` and for machines.

Names are Kafka's ("Authorization and ACLs" in its manual), where Read and Write imply Describe.
Topics, the group and transactional ids all begin with the prefix, so that rights for one prefix
give nothing in another.
"""

import shlex
from typing import Literal

from connector.core.model import Record
from connector.journal.kafka.names import Names

Operation = Literal["Read", "Write", "DescribeConfigs", "Create"]


class Acl(Record):
    """What a principal may do with resources of these names, or whose names begin so."""

    principal: str
    resource: Literal["topic", "group", "transactional-id"]
    names: tuple[str, ...]
    pattern: Literal["literal", "prefixed"]
    operations: tuple[Operation, ...]

    def command(self, servers: str) -> str:
        """The ``kafka-acls`` command line (for a shell) that grants it."""
        words = ["kafka-acls", "--bootstrap-server", servers, "--add"]
        words += ["--allow-principal", self.principal]
        for operation in self.operations:
            words += ["--operation", operation]
        for name in self.names:
            words += [f"--{self.resource}", name]
        return shlex.join([*words, "--resource-pattern-type", self.pattern])


def acls(names: Names, principal: str, *, creator: bool = False) -> tuple[Acl, ...]:
    """What the service needs; with ``creator`` also what ``kafka init`` needs to make topics.

    ``principal`` is the user as the brokers know it: ``User:NAME``, or with mutual TLS
    ``User:`` and the certificate's subject.
    """
    topics: tuple[Operation, ...] = ("Read", "Write", "DescribeConfigs")
    return (
        Acl(
            principal=principal,
            resource="topic",
            names=names.topics,
            pattern="literal",
            operations=(*topics, "Create") if creator else topics,
        ),
        Acl(
            principal=principal,
            resource="group",
            names=(names.group,),
            pattern="literal",
            operations=("Read",),
        ),
        Acl(
            principal=principal,
            resource="transactional-id",
            names=(names.transactions,),
            pattern="prefixed",
            operations=("Write",),
        ),
    )
