"""Which journal partition a subject belongs to."""

import pytest

from connector.core.model import SubjectKind, partition_of, subject_key


@pytest.mark.parametrize("partitions", [1, 2, 3, 4, 7, 64])
def test_a_partitions_own_events_reach_it(partitions: int) -> None:
    """A brake that is sent to every partition arrives in every partition, once."""
    keys = [subject_key("-", SubjectKind.PARTITION, str(number)) for number in range(partitions)]
    assert list(range(partitions)) == [partition_of(key, partitions) for key in keys]


def test_other_subjects_are_spread() -> None:
    """Users whose ids differ in one digit only are spread over all partitions."""
    keys = [subject_key("acme", SubjectKind.HOLDER, str(number)) for number in range(100)]
    assert {0, 1, 2, 3} == {partition_of(key, 4) for key in keys}


def test_a_user_cannot_be_named_like_a_partition() -> None:
    """An id with slashes stays an id: it is encoded, so it addresses no partition."""
    key = subject_key("acme", SubjectKind.HOLDER, "x/partition/3")
    assert "/partition/" not in key
    assert partition_of(key, 4) in range(4)
