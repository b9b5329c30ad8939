"""The connector's names in Kafka: all begin with one prefix."""

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
        """Topic of the audit log."""
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
        """The transactional id of a partition: a new user of it fences all earlier ones."""
        return f"{self.transactions}{partition}"
