"""A journal that is only half copied is not worked on."""

import pytest

from connector.core.errors import Permanent
from connector.core.journal import Commit
from tests.worker.conftest import Stage


async def test_a_half_done_copy_is_refused(stage: Stage) -> None:
    """Its owner stops before anything is read."""
    record = await stage.journal.take_over(0)
    half = record.model_copy(update={"copying": "a" * 64, "commits": record.commits + 1})
    await stage.journal.commit(Commit(record=half))
    with pytest.raises(Permanent) as refused:
        await stage.worker().run()
    assert refused.value.code == "JRN-010"
