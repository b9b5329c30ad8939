"""Which tests of a parallel run one worker has to itself.

The marks of ``--dist loadgroup`` do not reach the scheduler with the pytest of the lock file, so
the tests are distinguished by their folder.
"""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

BROKERS = "tests/kafka/"


class OneForBrokers(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """All tests with brokers in one worker, first because they are most; others anywhere."""

    def _split_scope(self, nodeid: str) -> str:
        return BROKERS if nodeid.startswith(BROKERS) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneForBrokers | None:
    """Take the place of ``--dist loadgroup``, and of no other."""
    return OneForBrokers(config, log) if config.option.dist == "loadgroup" else None
