"""What the connector calls its things in Kafka: all names begin with one prefix."""

from typing import NamedTuple


class Names(NamedTuple):
    """Topics, group and transactional ids of one installation."""

    prefix: str

    @property
    def events(self) -> str:
        """Topic of events; key = subject."""
        return f"{self.prefix}.events"

    @property
    def states(self) -> str:
        """Compacted topic of states and the partitions' own records; key = subject."""
        return f"{self.prefix}.states"

    @property
    def audit(self) -> str:
        """Topic of the audit trail."""
        return f"{self.prefix}.audit"

    @property
    def dead_letter(self) -> str:
        """Topic of records that could not be read."""
        return f"{self.prefix}.dead-letter"

    @property
    def topics(self) -> tuple[str, str, str, str]:
        """All four; all have the same number of partitions."""
        return (self.events, self.states, self.audit, self.dead_letter)

    @property
    def group(self) -> str:
        """The consumer group by which partitions find their owners."""
        return f"{self.prefix}.owners"

    @property
    def transactions(self) -> str:
        """What every transactional id begins with."""
        return f"{self.prefix}.owner."

    def transactional_id(self, partition: int) -> str:
        """The one transactional id of a partition: who uses it fences all who used it before."""
        return f"{self.transactions}{partition}"
