"""Only sources that the settings use are loaded: a broken one beside them does not matter."""

from pathlib import Path

import pytest

from connector import plugins
from connector.core.errors import Permanent
from connector.journal.settings import SqliteSettings
from connector.settings.model import Settings
from connector.settings.reload import Snapshot
from connector.settings.upstreams import CaSettings, UemSettings
from connector.wiring import pulls, tenants
from connector.wiring.sources import loaded

BROKEN = "broken_vendor"


@pytest.fixture(autouse=True)
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution whose source raises when it is imported."""
    (tmp_path / f"{BROKEN}.py").write_text("raise ValueError\n")
    metadata = tmp_path / f"{BROKEN}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {BROKEN}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{plugins.SOURCES}]\n{BROKEN} = {BROKEN}:Source\n")
    monkeypatch.syspath_prepend(tmp_path)


def settings(target: str, escrow: str = "http") -> Settings:
    """With one UEM and one CA of these types."""
    uem = UemSettings.model_construct(
        type=target, address="https://uem.example", webhook=None, pull=None
    )
    ca = CaSettings.model_construct(
        type=escrow, address="https://ca.example", webhook=None, pull=None
    )
    journal = SqliteSettings(path=Path("journal"))
    return Settings.model_construct(uems={"corp": uem}, cas={"main": ca}, journal=journal)


def test_a_broken_source_that_no_setting_names_is_not_loaded() -> None:
    """Listener and pulls are made from the others."""
    assert BROKEN in {entry.name for entry in plugins.installed(plugins.SOURCES)}
    chosen = settings("workspace_one")
    assert loaded(chosen).keys() == {"workspace_one", plugins.SIGNED}
    assert list(pulls.wanted(chosen)) == []
    assert tenants.sources(chosen, Snapshot({})).keys() == loaded(chosen).keys()


@pytest.mark.parametrize("chosen", [(BROKEN,), ("workspace_one", BROKEN)])
def test_a_broken_source_of_the_settings_is_refused(chosen: tuple[str, ...]) -> None:
    """With the code of plug-ins; the UEM's own, or the CA's."""
    with pytest.raises(Permanent, match="CFG-004: loading a plug-in: ValueError"):
        loaded(settings(*chosen))
