"""The settings as JSON Schema 2020-12, for editors and for the chart."""

from typing import Any

from connector.settings.model import settings_model
from connector.settings.plugins import Plugins

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configuration_schema(plugins: Plugins) -> dict[str, Any]:
    """The schema of the YAML file, with the settings of the given plug-ins."""
    schema = settings_model(plugins).model_json_schema(mode="validation")
    return {
        "$schema": DIALECT,
        "$id": "urn:pki-connector:schema:configuration:1",
        **schema,
        "title": "PKI Connector configuration",
    }
