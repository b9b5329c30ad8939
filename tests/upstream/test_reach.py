"""What a plug-in over HTTP opens in a hand-over, taken from its settings."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connector import plugins
from connector.core.reach import Host
from connector.core.upstream import UpstreamSettings
from connector.integrations.http_escrow.backend import HttpEscrowSettings
from connector.integrations.workspace_one.settings import WorkspaceOneSettings

NEEDED: dict[type[UpstreamSettings], dict[str, Any]] = {
    HttpEscrowSettings: {},
    WorkspaceOneSettings: {"username": "svc", "archived_mode": "off"},
}


def files_of(model: type[BaseModel]) -> dict[str, str]:
    """A value for each member that is a file, by the name that the settings give it."""
    return {name: f"/run/secrets/{name}" for name in model.model_fields if name.endswith("_file")}


@pytest.mark.parametrize("model", NEEDED, ids=lambda model: model.__name__)
def test_every_file_of_the_settings_is_declared(model: type[UpstreamSettings]) -> None:
    """A file that is added to the settings can be read in a hand-over without another word."""
    files = files_of(model)
    given = {"address": "https://ca.example.org", **NEEDED[model], **files}
    settings = model.model_validate(given)
    assert sorted(settings.reach().files) == sorted(map(Path, files.values()))


@pytest.mark.parametrize("group", [plugins.ESCROW, plugins.TARGETS])
def test_every_plug_in_of_ours_is_among_them(group: str) -> None:
    """A new plug-in over HTTP is held against the same rule."""
    models = {plugins.load(entry).settings_model for entry in plugins.installed(group)}
    assert models <= set(NEEDED)


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({"address": "https://ca.example.org"}, Host(name="ca.example.org", port=443)),
        ({"address": "https://ca.example.org:8443/v1"}, Host(name="ca.example.org", port=8443)),
        ({"address": "http://127.0.0.1:80"}, Host(name="127.0.0.1", port=80)),
        ({"address": "https://[2001:db8::1]"}, Host(name="2001:db8::1", port=443)),
        (
            {"address": "https://ca.example.org", "proxy": "https://proxy.example.org:3128"},
            Host(name="proxy.example.org", port=3128),
        ),
    ],
)
def test_the_host_is_who_is_connected_to(settings: dict[str, Any], host: Host) -> None:
    """The upstream with the port of its address, or the proxy towards it."""
    assert UpstreamSettings(**settings).reach().hosts == (host,)
