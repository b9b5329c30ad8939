"""Checks that need more than one setting, or a look at the file system.

They work on the values as given, so that they find their faults also while others are left.
"""

import os
import ssl
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path as File
from typing import Any

from connector.certificates.issuance import TrustedIssuers
from connector.core.addresses import canonical_host
from connector.core.errors import Permanent
from connector.mounted import as_secret, read_mounted, read_secret, signing_key
from connector.settings.contradictions import Found, contradictions
from connector.settings.report import Path
from connector.settings.secrecy import holds_text, names_file
from connector.tls_files import client_context, load_pair

PAIRS = (("certificate_file", "key_file"), ("client_certificate_file", "client_key_file"))
SHORTEST_KEY = 32
LONGEST_NAME = 20
"""Characters of a missing file's name without a full stop that is repeated in the report."""
SHORTEST_PASSWORD = 16
NARROWEST = {4: 8, 6: 16}
"""Shortest prefix of a network of proxies, by version of IP."""


def cross_checks(values: dict[str, Any]) -> Iterator[Found]:
    """Everything that is wrong between settings, and with the files they name."""
    routes = {name: route for name, route in _mapping(values, "routes").items() if _is(route)}
    yield from _references(values, routes)
    yield from _unreachable(routes)
    yield from contradictions(values)
    broken = list(_files(values, ()))
    yield from broken
    unusable = {found.path for found in broken}
    yield from _pairs(values, (), unusable)
    yield from _audit_key(values, unusable)
    yield from _signing_secrets(values, unusable)
    yield from _webhook_passwords(values, unusable)
    yield from _wide_networks(values)
    yield from _trusted_issuers(routes, unusable)


def _references(values: dict[str, Any], routes: dict[str, Any]) -> Iterator[Found]:
    for name, route in routes.items():
        for member, section in (("uem", "uems"), ("ca", "cas")):
            known = _mapping(values, section)
            wanted = route.get(member)
            if isinstance(wanted, str) and wanted not in known:
                names = ", ".join(sorted(map(str, known))) or "none"
                wrong = f"names no entry of {section}"
                yield Found(("routes", name, member), "CFG-001", wrong, f"Take one of: {names}.")


def _unreachable(routes: dict[str, Any]) -> Iterator[Found]:
    """The first route that fits a user counts; one that never comes first is a mistake."""
    served: dict[str, tuple[set[str], bool]] = {}
    for name, route in routes.items():
        uem = str(route.get("uem"))
        mine = _chosen(route, "groups") | _chosen(route, "mail_domains")
        before, everybody = served.get(uem, (set(), False))
        if everybody or (mine and mine <= before):
            wrong = "is never reached: the routes before it serve all of its users"
            action = "Move it up, or narrow the routes before it."
            yield Found(("routes", name), "CFG-001", wrong, action)
        served[uem] = (before | mine, everybody or not mine)


def _chosen(route: dict[str, Any], member: str) -> set[str]:
    value = route.get(member)
    items = value if isinstance(value, list) else []
    return {f"{member}:{_form(member, item)}" for item in items if isinstance(item, str)}


def _form(member: str, item: str) -> str:
    return canonical_host(item) if member == "mail_domains" else item.lower()


def _files(value: Any, path: Path) -> Iterator[Found]:
    """Each mounted file is read as its user reads it."""
    for key, inner in _items(value):
        where = (*path, key)
        named = next((str(part) for part in where[-1:-3:-1] if names_file(str(part))), "")
        if isinstance(inner, str) and named:
            is_text = holds_text(named, value if _is(value) else ())
            if wrong := _file_fault(File(inner), is_text=is_text):
                yield Found(where, "CFG-003", wrong, "Check the mount, the path and its mode.")
        else:
            yield from _files(inner, where)


def _file_fault(file: File, *, is_text: bool) -> str | None:
    try:
        data = read_mounted(file)
        if is_text:
            as_secret(file, data)
    except Permanent as error:
        named = "a file" if _may_be_secret(file) else file
        return f"{named} cannot be used: {error.detail.partition(f'{file}: ')[2]}"
    return None


def _may_be_secret(file: File) -> bool:
    """Whether what should be a path may be the secret itself, written there by mistake."""
    if os.path.lexists(file):
        return False
    signing = any(part.startswith("whsec_") for part in file.parts)
    return signing or (len(file.name) > LONGEST_NAME and "." not in file.name)


def _pairs(value: Any, path: Path, unusable: set[Path]) -> Iterator[Found]:
    """Certificates and keys that must fit, and bundles that must be PEM."""
    for certificate, key in PAIRS if _is(value) else ():
        if certificate in value and key in value:
            files = value[certificate], value[key]
            named = all(isinstance(file, str) for file in files)  # else the model says so
            if named and unusable.isdisjoint({(*path, certificate), (*path, key)}):
                yield from _pair_fault((*path, key), *files)
        elif certificate in value or (key in value and key != "key_file"):
            action = "Set both, or none of them."
            yield Found((*path, certificate), "CFG-001", f"belongs to {key}", action)
    for key, inner in _items(value):
        if key == "ca_file" and isinstance(inner, str) and (*path, key) not in unusable:
            yield from _bundle_fault((*path, key), inner)
        yield from _pairs(inner, (*path, key), unusable)


def _pair_fault(path: Path, certificate: str, key: str) -> Iterator[Found]:
    try:
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), File(certificate), File(key))
    except Permanent:
        wrong = "certificate and key do not load as a PEM pair"
        yield Found(path, "CFG-003", wrong, "Mount the key of this certificate, not encrypted.")


def _bundle_fault(path: Path, bundle: str) -> Iterator[Found]:
    try:
        client_context(File(bundle))
    except Permanent:
        yield Found(path, "CFG-003", "holds no PEM certificate", "Mount the CA's certificate.")


def _audit_key(values: dict[str, Any], unusable: set[Path]) -> Iterator[Found]:
    path = ("audit", "key_file")
    file = _mapping(values, "audit").get("key_file")
    if not isinstance(file, str) or path in unusable:
        return
    if len(read_secret(File(file)).reveal().strip()) < SHORTEST_KEY:
        wrong = f"the key has fewer than {SHORTEST_KEY} characters"
        yield Found(path, "CFG-001", wrong, "Make one: openssl rand -hex 32")


def _signing_secrets(values: dict[str, Any], unusable: set[Path]) -> Iterator[Found]:
    """Standard Webhooks 1.0: ``whsec_`` and the base64 of at least 24 bytes."""
    for name, entry in _mapping(values, "cas").items():
        webhook = _mapping(entry, "webhook") if _is(entry) else {}
        for index, file in _items(webhook.get("secret_files")):
            path = ("cas", name, "webhook", "secret_files", index)
            if isinstance(file, str) and path not in unusable and not _signs(File(file)):
                wrong = "holds no signing secret: whsec_ and the base64 of 24 bytes or more"
                action = 'Make one: echo "whsec_$(openssl rand -base64 32)"'
                yield Found(path, "CFG-003", wrong, action)


def _signs(file: File) -> bool:
    try:
        signing_key(read_secret(file))
    except Permanent:
        return False
    return True


def _webhook_passwords(values: dict[str, Any], unusable: set[Path]) -> Iterator[Found]:
    """Right credentials pass however many wrong ones came before, so they must not be guessable."""
    for name, entry in _mapping(values, "uems").items():
        webhook = _mapping(entry, "webhook") if _is(entry) else {}
        for index, credential in _items(webhook.get("credentials")):
            path = ("uems", name, "webhook", "credentials", index, "password_file")
            file = credential.get("password_file") if _is(credential) else None
            if not isinstance(file, str) or path in unusable:
                continue
            if len(read_secret(File(file)).reveal()) < SHORTEST_PASSWORD:
                wrong = f"the password has fewer than {SHORTEST_PASSWORD} characters"
                yield Found(path, "CFG-001", wrong, "Make one: openssl rand -hex 16")


def _wide_networks(values: dict[str, Any]) -> Iterator[Found]:
    """Plain HTTP from any network would expose the passwords on the way."""
    intake = _mapping(_mapping(values, "service"), "intake")
    for index, text in _items(intake.get("plain_from")):
        try:
            network = ip_network(str(text))
        except ValueError:
            continue  # the model says so
        if network.prefixlen < NARROWEST[network.version]:
            path = ("service", "intake", "plain_from", index)
            wrong = "is not a list of proxies: nearly all addresses could send over plain HTTP"
            yield Found(path, "CFG-001", wrong, "Name the addresses of your proxies.")


def _trusted_issuers(routes: dict[str, Any], unusable: set[Path]) -> Iterator[Found]:
    """The file of a route's issuers, read as each planning of a delivery reads it."""
    for name, route in routes.items():
        path, file = ("routes", name, "issuers_file"), route.get("issuers_file")
        if isinstance(file, str) and path not in unusable:
            try:
                TrustedIssuers.from_file(File(file))
            except Permanent as fault:
                action = "Mount the issuers' certificates as PEM, without the one that is named."
                yield Found(path, fault.code, fault.detail, action)


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _is(value: Any) -> bool:
    return isinstance(value, dict)


def _mapping(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = values.get(name)
    return section if isinstance(section, dict) else {}
