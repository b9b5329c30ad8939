"""Routes in the core's form, with the defaults of the settings."""

from connector.core.policy import RoutePolicy
from connector.settings.routes import RouteSettings
from connector.settings.upstreams import UemSettings

DECIDED = {
    "uem": "acme",
    "ca": "acme-ca",
    "identity": {"person_attribute": "username", "agreeing_attribute": "email"},
    "retention": "1d",
    "profiles": {"*": "4711"},
    "other_devices": "hold",
    "unknown_set": "replace",
    "signing": "required",
}
"""What has no default."""


def policy(**changes: object) -> RoutePolicy:
    """A route that was decided like that, with these changes (core's form: milliseconds)."""
    uem = UemSettings(type="instant", address="https://uem.example.com")
    whole = RouteSettings.model_validate(DECIDED).policy("corp", uem)
    return RoutePolicy.model_validate(whole.model_dump() | changes)
