"""What a round makes of subjects that the journal does not know."""

from connector.core.boot_time import BootTime
from connector.core.journal import PartitionRecord
from connector.core.policy import Retry, Rules
from connector.worker.round import RoundDraft


def test_a_new_subject_begins_above_every_version_of_an_earlier_life() -> None:
    """A version goes up once per commit of its partition, so none exceeds the commits."""
    rules = Rules(
        routes={},
        epoch=1,
        boot=BootTime("here", 0),
        device_retry=Retry(first=1, cap=1),
        device_deadline=1,
        deadlines_held=False,
        dice=lambda: 0.5,
    )
    draft = RoundDraft(PartitionRecord(partition=0, commits=41), now=1, rules=rules, loaded={})
    for key in ("corp/device/1", "corp/user/1", "corp/person/1"):
        assert draft.state(key).version == 41
