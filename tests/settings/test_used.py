"""Settings that no code reads would be promises that are not kept."""

import re
from pathlib import Path

import connector
from connector.settings.introspection import groups
from connector.settings.model import settings_model
from connector.settings.plugins import installed

PACKAGE = Path(connector.__file__).parent


def test_every_setting_is_read_by_the_program() -> None:
    """Each name appears outside the package that reads the settings."""
    sources = [file for file in PACKAGE.rglob("*.py") if "settings" not in file.parts]
    words = set(re.findall(r"\w+", "\n".join(file.read_text("utf-8") for file in sources)))
    members = {
        str(member.path[-1])
        for group in groups(settings_model(installed()))
        for member in group.members
    }
    assert members - words - {"approvals"} == set()
