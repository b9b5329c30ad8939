"""Loading plug-ins of other people."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.core.handover import PluginReference
from connector.keys.handover.plugins import open_escrow
from connector.plugins import ESCROW, SOURCES, load
from connector.upstream import RequestLimit


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("raise ValueError('a secret text')", "ValueError"),
        ("import nowhere_to_be_found", "ModuleNotFoundError"),
        ("Backend = ", "SyntaxError"),
        ("class Backend: pass", "AttributeError"),
    ],
)
def test_a_plug_in_that_breaks_while_it_is_loaded_has_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, kind: str
) -> None:
    """With any fault in its module, it is one fault that names the kind of error and no more."""
    module = f"broken_{kind.lower()}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Permanent, match=f"CFG-004: loading a plug-in: {kind}$"):
        load(EntryPoint("odd", f"{module}:Backend", ESCROW))


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("settings_model = feed = 1; capabilities = Declared(pull=True, **SAID)", ""),
        ("settings_model = 1; capabilities = Declared(pull=True, **SAID)", "feed"),
        ("feed = 1; capabilities = Declared(pull=True, **SAID)", "settings_model"),
        ("feed = 1; capabilities = Declared(pull=True, webhook=False, **SAID)", ""),
        ("settings_model = 1; capabilities = Declared(**SAID)", ""),
    ],
)
def test_a_source_has_what_it_declares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, lacks: str
) -> None:
    """A webhook, a feed, or both."""
    module = f"declared_{abs(hash(text))}"
    said = "SAID = {'label': 'x', 'event_kinds': ('device_enrolled',)}"
    head = "from connector.core.source import SourceCapabilities as Declared"
    (tmp_path / f"{module}.py").write_text(f"{head}\n{said}\nclass Source: {text}\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("odd", f"{module}:Source", SOURCES)
    if lacks:
        with pytest.raises(Permanent, match="CFG-004"):
            load(entry)
    else:
        assert load(entry).capabilities.label == "x"


IN_TURN = '''
from pydantic import BaseModel
from connector.core.ports import EscrowCapabilities, Reach

class Settings(BaseModel):
    """Nothing to set."""

class Backend:
    settings_model = Settings
    capabilities = EscrowCapabilities(one_at_a_time=True)
    def __init__(self, name, settings, permits):
        self.name = name
    def reach(self):
        return Reach()
'''


def test_a_backend_that_needs_turns_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found like any other, and refused when it is opened: it would not get turns."""
    (tmp_path / "in_turn.py").write_text(IN_TURN)
    metadata = tmp_path / "in_turn-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: in-turn\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{ESCROW}]\nin_turn = in_turn:Backend\n")
    monkeypatch.syspath_prepend(tmp_path)
    reference = PluginReference(plugin="in_turn", name="main", settings={})
    with pytest.raises(Permanent, match="CFG-006"):
        open_escrow(reference, RequestLimit())
