"""Types and plug-in models that the tests of the settings share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from connector.core.upstream import UpstreamSettings
from connector.settings.load import Checked

Values = dict[str, Any]
Check = Callable[..., Checked]
Change = Callable[..., Values]


class PhonesSettings(UpstreamSettings):
    """A device management service."""

    password_file: Path = Field(description="Password of the API account.")
    archived_mode: Literal["list-field", "bundle", "off"] = Field(
        description="How archived generations are sent.",
        json_schema_extra={"x-consider": "What the service's reference says."},
    )


class VaultSettings(UpstreamSettings):
    """A certificate authority."""
