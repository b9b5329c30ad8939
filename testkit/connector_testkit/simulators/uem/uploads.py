"""``uploadsmimecerts``: reading the body, opening its PKCS#12 files, replacing the user's set.

The body's two known members are ``Signing`` and ``Encryption``, each with ``CertificatePayload``
(base64 PKCS#12) and ``Password``. How earlier encryption pairs are sent is not public, so the
member's name and the way are switches. Member names are read in any case.
"""

from typing import Any

import orjson
from defusedxml.ElementTree import fromstring
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from connector_testkit.simulators.uem.bundles import BadBundleError, decode_payload, open_bundle
from connector_testkit.simulators.uem.options import Behaviour
from connector_testkit.simulators.uem.profiles import Profiles
from connector_testkit.simulators.uem.records import CertificateSet, Pair, SlotName
from connector_testkit.simulators.uem.store import Store
from connector_testkit.simulators.uem.tenant import Tenant

SAMPLED = 20


class Part(BaseModel):
    """One PKCS#12 with its password."""

    model_config = ConfigDict(hide_input_in_errors=True)

    certificatepayload: str
    password: str


PARTS = TypeAdapter(list[Part])
SlottedPart = tuple[SlotName, Part]


class Uploads:
    """Accepts or refuses uploads, and writes both into the ledger."""

    def __init__(self, tenant: Tenant, store: Store, profiles: Profiles) -> None:
        self._tenant = tenant
        self._store = store
        self._profiles = profiles

    def accept(self, user: int, body: bytes, *, is_xml: bool) -> None:
        """Replace the set of ``user`` by what the body holds; waiting profiles go out.

        Raises:
            BadBundleError: the body or one of its PKCS#12 is refused; nothing was changed.
        """
        try:
            parts = read_parts(body, self._tenant.behaviour, is_xml=is_xml)
            opened, pairs = self._open(parts)
        except BadBundleError as error:
            self._tenant.ledger.note("refused_upload", user=user, why=str(error))
            raise
        sizes = tuple(len(part.certificatepayload) for _, part in parts)
        number = self._tenant.new_upload()
        content = CertificateSet(number, self._tenant.clock.now(), tuple(pairs), sizes)
        self._tenant.ledger.note("upload", user=user, opened=opened, **content.facts())
        self._store.put(user, content)
        self._profiles.uploaded(user)

    def _open(self, parts: list[SlottedPart]) -> tuple[bool, list[Pair]]:
        """Whether the PKCS#12 files were opened, and the pairs that are kept of them."""
        check = self._tenant.behaviour.check_uploads
        if check == "none" or (check == "sample" and self._tenant.uploads % SAMPLED):
            return False, []
        pairs: list[Pair] = []
        for slot, part in parts:
            self._tenant.markers.upload(part.certificatepayload, part.password)
            found = open_bundle(decode_payload(part.certificatepayload), part.password, slot)
            several = slot == "encryption" and self._tenant.behaviour.archived_mode == "bundle"
            pairs.extend(found if several else found[:1])
        for pair in pairs:
            self._tenant.markers.pair(pair)
        return True, pairs


def read_parts(body: bytes, behaviour: Behaviour, *, is_xml: bool) -> list[SlottedPart]:
    """The PKCS#12 files of a body with their slots. Raises :class:`BadBundleError`."""
    members = _xml(body) if is_xml else _json(body)
    found: list[SlottedPart] = []
    for slot, name in (("signing", "signing"), ("encryption", "encryption")):
        if members.get(name) is not None:
            found += [(slot, part) for part in _parts([members[name]])]  # type: ignore[misc]
    if behaviour.archived_mode == "list-field":
        archived = members.get(behaviour.archived_member.lower()) or []
        found += [("archived", part) for part in _parts(archived)]
    if not found:
        raise BadBundleError("the body holds neither Signing nor Encryption")
    return found


def _parts(values: Any) -> list[Part]:
    try:
        return PARTS.validate_python(values)
    except ValidationError:
        raise BadBundleError("a member lacks CertificatePayload or Password") from None


def _json(body: bytes) -> dict[str, Any]:
    try:
        members = _lower(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise BadBundleError("the body is not JSON") from None
    if not isinstance(members, dict):
        raise BadBundleError("the body is not an object")
    return members


def _lower(value: Any) -> Any:
    """The same JSON with all member names in lower case."""
    if isinstance(value, dict):
        return {name.lower(): _lower(each) for name, each in value.items()}
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _xml(body: bytes) -> dict[str, Any]:
    """The members of ``<SMIMECertificate>``; the list member repeats its inner object."""
    try:
        root = fromstring(body)
    except Exception:  # noqa: BLE001 - anything that the parser refuses is a bad body
        raise BadBundleError("the body is not XML") from None
    members: dict[str, Any] = {}
    for element in root:
        name, children = _local(element), list(element)
        is_list = bool(children) and len(children[0]) > 0
        members[name] = [_inner(each) for each in children] if is_list else _inner(element)
    return members


def _inner(element: Any) -> dict[str, str]:
    return {_local(child): (child.text or "") for child in element}


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2].lower()
