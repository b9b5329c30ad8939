"""The sources that the settings use, loaded; what else is installed is left alone."""

from typing import Any

from connector import plugins
from connector.settings.model import Settings


def loaded(settings: Settings) -> dict[str, Any]:
    """The classes of the sources that belong to the UEMs and CAs of the settings, by name.

    Others are not imported: a broken or slow plug-in that no setting names must not stop the start.

    Raises:
        Permanent: ``CFG-004`` when one of them cannot be loaded.
    """
    upstreams = (*settings.uems.values(), *settings.cas.values())
    named = {one.type for one in upstreams} | {plugins.SIGNED}
    entries = plugins.installed(plugins.SOURCES)
    return {entry.name: plugins.load(entry) for entry in entries if entry.name in named}
