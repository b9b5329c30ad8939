"""The page for people says everything that the control interface understands."""

import re
from pathlib import Path
from typing import get_args

import pytest

from connector_testkit.simulators.uem import UemSimulator
from connector_testkit.simulators.uem.api_faults import ApiFaultKind
from connector_testkit.simulators.uem.ledger import Kind
from connector_testkit.simulators.uem.options import Behaviour
from connector_testkit.simulators.uem.webhook_faults import WebhookFaultKind
from tests.testkit.simulators.uem.conftest import Options

PAGE = (Path(__file__).parents[4] / "docs" / "simulators.md").read_text(encoding="utf-8")
WORDS = [*Behaviour.model_fields, *get_args(ApiFaultKind), *get_args(WebhookFaultKind)]


@pytest.mark.parametrize("word", [*WORDS, *get_args(Kind)])
def test_every_switch_fault_and_ledger_kind_is_explained(word: str) -> None:
    """Each stands on the page as code."""
    assert f"`{word}`" in PAGE


def test_every_path_is_listed(options: Options) -> None:
    """Each resource of the control interface is on the page."""
    simulator = UemSimulator(options())
    paths = {each.canonical for each in simulator._control_app().router.resources()}
    assert len(paths) > 20
    missing = {path for path in paths if not re.search(rf"{re.escape(path)}[`?, ]", PAGE)}
    assert missing == set()
