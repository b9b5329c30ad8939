"""Suites that every escrow backend, target and journal must pass; plug-in authors subclass them.

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
    "connector.conformance.target",
    "connector.conformance.target_acts",
    "connector.conformance.target_looks",
    "connector.conformance.target_world",
)
