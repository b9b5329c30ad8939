"""Suites for sources, feeds, escrow backends, targets and journals, for plug-ins to subclass.

They need pytest and pytest-asyncio, which the service itself does not.
"""

import pytest

pytest.register_assert_rewrite(
    "connector_testkit.conformance.collection",
    "connector_testkit.conformance.escrow",
    "connector_testkit.conformance.feed",
    "connector_testkit.conformance.journal",
    "connector_testkit.conformance.journal_events",
    "connector_testkit.conformance.journal_rounds",
    "connector_testkit.conformance.journal_samples",
    "connector_testkit.conformance.journal_states",
    "connector_testkit.conformance.source",
    "connector_testkit.conformance.target",
    "connector_testkit.conformance.target_acts",
    "connector_testkit.conformance.target_looks",
    "connector_testkit.conformance.target_world",
)
