"""Loading plug-ins of other people."""

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from connector.core.errors import Permanent
from connector.plugins import ESCROW, load


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
    """Whatever its module does, it is one fault that names the kind of error and no more."""
    module = f"broken_{kind.lower()}"
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Permanent, match=f"CFG-004: loading a plug-in: {kind}$"):
        load(EntryPoint("odd", f"{module}:Backend", ESCROW))
