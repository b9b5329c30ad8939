"""The settings as a whole: :class:`Settings`, frozen, made by :func:`connector.settings.load.load`.

``settings.uems["corp"]`` is an instance of the plug-in's own settings model *and* of
:class:`~connector.settings.upstreams.UemSettings`; the CAs alike.
"""

from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, JsonValue, create_model
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector import plugins
from connector.core.policy import RoutePolicy
from connector.core.values import Name
from connector.journal.settings import Journal, SqliteSettings
from connector.settings.plugins import Plugins
from connector.settings.routes import RouteSettings
from connector.settings.service import Audit, Handover, Service, Testing, Worker
from connector.settings.upstreams import CaSettings, UemSettings

PREFIX = "PKI_CONNECTOR_"
NAMES_ONLY: dict[str, JsonValue] = {"additionalProperties": False}
"""In the schema, so that it refuses names of another pattern as the program does."""


class Settings(BaseSettings):
    """Everything that can be set. Holds no secret, only the paths of mounted ones."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        env_prefix=PREFIX,
        env_nested_delimiter="__",
    )

    service: Service
    """The process itself."""
    journal: Journal = SqliteSettings()
    """The durable log."""
    audit: Audit
    """The audit log."""
    handover: Handover = Handover()
    """The processes in which keys live."""
    worker: Worker = Worker()
    """The loop that advances the subjects."""
    testing: Testing = Testing()
    """Crash points, for tests."""
    uems: dict[Name, UemSettings] = Field(min_length=1)
    """Device management services, by a name of your choice that never changes."""
    cas: dict[Name, CaSettings] = Field(min_length=1)
    """Certificate authorities with key escrow, by a name of your choice that never changes."""
    routes: dict[Name, RouteSettings] = Field(min_length=1, json_schema_extra=NAMES_ONLY)
    """Which users are served from which CA to which UEM. The first matching route is used."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what ``load`` merged: construction never reads the environment by itself."""
        return (init_settings,)

    def policies(self) -> dict[str, RoutePolicy]:
        """The core's form of all routes, in the order in which they are tried."""
        return {
            name: route.policy(name, self.uems[route.uem]) for name, route in self.routes.items()
        }


_TYPE = Field(description="Name of the plug-in that speaks to it.")


def settings_model(installed: Plugins) -> type[Settings]:
    """:class:`Settings` with the settings models of the installed plug-ins in their places."""
    return create_model(
        "Settings",
        __base__=Settings,
        __doc__=Settings.__doc__,
        uems=_choice(installed, plugins.TARGETS, installed.targets, UemSettings),
        cas=_choice(installed, plugins.ESCROW, installed.escrow, CaSettings),
    )


def _choice(
    installed: Plugins, group: str, models: dict[str, type[BaseModel]], ours: type[BaseModel]
) -> Any:
    kinds = [
        _joined(
            name,
            (model, ours),
            webhook=_section(ours, "webhook", installed.webhook(group, name)),
            pull=_section(ours, "pull", installed.feed(group, name)),
        )
        for name, model in sorted(models.items())
    ]
    one: Any = Annotated[reduce(or_, kinds), Field(discriminator="type")] if kinds else ours
    section = Settings.model_fields["uems" if ours is UemSettings else "cas"]
    return dict[Name, one], Field(
        min_length=1, description=section.description, json_schema_extra=NAMES_ONLY
    )


def _section(ours: type[BaseModel], member: str, model: type[BaseModel] | None) -> Any:
    """A section that the source of a plug-in has; one that it lacks can only be left out."""
    if model is None:
        return None, Field(default=None, description="Not available: leave it out.")
    return model | None, Field(default=None, description=ours.model_fields[member].description)


def _joined(
    name: str, bases: tuple[type[BaseModel], type[BaseModel]], **sections: Any
) -> type[BaseModel]:
    model, ours = bases
    kind: Any = Literal[name]
    return create_model(
        f"{name}_{ours.__name__}",
        __base__=bases,
        __doc__=model.__doc__,
        type=(kind, _TYPE),
        **sections,
    )
