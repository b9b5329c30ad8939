"""Enrolment users: adding, changing, finding and deleting them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connector_testkit.simulators.uem.records import User
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant


class NewUser(BaseModel):
    """A user to be added. ``attributes`` are further members of the API's user object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str = Field(min_length=1)
    id: int | None = Field(default=None, ge=1)
    email: str = ""
    external_id: str = ""
    group: str | None = None
    first_name: str = ""
    last_name: str = ""
    active: bool = True
    attributes: dict[str, Any] = Field(default_factory=dict)


class UserChange(BaseModel):
    """What an administrator edits; None leaves it. ``attributes`` are merged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    username: str | None = None
    email: str | None = None
    external_id: str | None = None
    group: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    active: bool | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class People:
    """The tenant's users. No event is posted for any of this: the product has none."""

    def __init__(self, tenant: Tenant, store: Store) -> None:
        self._tenant = tenant
        self._store = store

    def add(self, wanted: NewUser) -> User:
        """Add a user; a number that is left out is given."""
        facts = wanted.model_dump(exclude={"id", "group"})
        number = self._tenant.new_user_id(wanted.id)
        group = wanted.group or self._tenant.options.group
        user = User(id=number, uuid=self._tenant.new_uuid(), group=group, **facts)
        self._tenant.users[number] = user
        return user

    def change(self, user: User, change: UserChange) -> None:
        """Edit a user."""
        for name, value in change.model_dump(exclude={"attributes"}, exclude_none=True).items():
            setattr(user, name, value)
        user.attributes.update(change.attributes)

    def delete(self, user: User) -> None:
        """Delete a user and, as is assumed of the product, their certificates."""
        self._store.purge(user.id, "deleted", self._tenant.clock.now())
        del self._tenant.users[user.id]
