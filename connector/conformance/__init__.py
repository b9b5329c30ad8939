"""Suites for sources, escrow backends, targets and journals; authors of plug-ins subclass them.

They need pytest and pytest-asyncio, which the service itself does not.
"""

import pytest

pytest.register_assert_rewrite(
    "connector.conformance.collection",
    "connector.conformance.escrow",
    "connector.conformance.journal",
    "connector.conformance.journal_events",
    "connector.conformance.journal_rounds",
    "connector.conformance.journal_samples",
    "connector.conformance.journal_states",
    "connector.conformance.source",
    "connector.conformance.target",
    "connector.conformance.target_acts",
    "connector.conformance.target_looks",
    "connector.conformance.target_world",
)
