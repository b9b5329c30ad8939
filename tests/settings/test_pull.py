"""The section of a UEM or CA whose source is pulled from."""

from datetime import timedelta

from connector.settings.example import example
from connector.settings.plugins import Plugins
from tests.settings.examples import Change, Check


def test_a_feed_has_its_interval_and_may_stand_without_a_webhook(
    checked: Check, changed: Change
) -> None:
    values = changed("uems.ws-one.pull", {"every": "30s"})
    values["uems"]["ws-one"].pop("webhook")
    settings = checked(values).settings
    assert settings is not None
    uem = settings.uems["ws-one"]
    assert uem.webhook is None
    assert uem.pull is not None
    assert uem.pull.every == timedelta(seconds=30)
    assert "pull" not in uem.plugin_settings()


def test_only_what_can_be_pulled_from_is_asked_to_be(plugins: Plugins) -> None:
    """The example shows the section where it can be set, and does not where it cannot."""
    uems, cas = example(plugins).split("\ncas:")
    assert "#pull:" in uems
    assert "#  every: 1m" in uems
    assert "pull:" not in cas
