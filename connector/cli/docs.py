"""Pages of ``docs/`` that are made from the program itself: error catalogue and states."""

from collections.abc import Iterator

from connector.catalogue import CatalogueEntry, catalogue
from connector.core.device import TRANSITIONS as DEVICE
from connector.core.holder import TRANSITIONS as HOLDER
from connector.core.states import ENDED

AREAS = {
    "AUTH": "Who may talk to us",
    "EVT": "Notifications and requests",
    "JRN": "The journal",
    "KAF": "Kafka, which the clustered journal uses",
    "USR": "Users and devices in the UEM",
    "IDN": "Who is who",
    "KEY": "Certificates and keys",
    "P12": "PKCS#12 files",
    "PLG": "Plug-ins",
    "HND": "Hand-overs",
    "CA": "Certificate authorities",
    "UEM": "Device management services",
    "DLV": "Deliveries",
    "INS": "Installation on devices",
    "PRG": "The copy in the UEM",
    "CFG": "Settings",
    "CRT": "Our own certificates",
    "ADM": "The operators' socket",
    "SRV": "The service process",
    "AUD": "The audit trail",
    "CLK": "The clock",
}
FAMILIES = {
    "rejected": "the sender acts",
    "transient": "tried again by itself",
    "permanent": "a person acts",
}


def errors_page() -> str:
    """``docs/errors.md``: every code, what it means, and what to do."""
    areas: dict[str, list[tuple[str, CatalogueEntry]]] = {}
    for code, entry in catalogue().items():
        areas.setdefault(code.partition("-")[0], []).append((code, entry))
    lines = [
        "# Error codes",
        "",
        "This page is made by `make docs` from `connector/errors.yaml`; do not edit it.",
        "",
        "Codes are stable for ever. They appear in logs, in answers (problem JSON), in metrics, in",
        "`pki-connector status` and in the audit trail. The family says whose turn it is.",
    ]
    for area, entries in areas.items():
        lines += ["", f"## {area}: {AREAS.get(area, 'other')}", ""]
        lines += ["| code | what | whose turn | HTTP | cause | what to do |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        lines += [_row(code, entry) for code, entry in entries]
    return "\n".join(lines) + "\n"


def _row(code: str, entry: CatalogueEntry) -> str:
    cells = (
        f"`{code}`",
        entry.title,
        FAMILIES[entry.family],
        str(entry.http or ""),
        entry.cause,
        entry.action,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def states_page() -> str:
    """``docs/states.md``: which phase or status may follow which, drawn and told."""
    lines = [
        "# States",
        "",
        "This page is made by `make docs` from the transition tables that the program checks every",
        "change against; do not edit it.",
        "",
        "## A delivery",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> planning",
        *(f"    {before} --> {after}" for before, after in HOLDER),
        *sorted(f"    {phase} --> [*]" for phase in ENDED),
        "```",
        "",
        "| from | to | when |",
        "| --- | --- | --- |",
        *(f"| {before} | {after} | {when} |" for (before, after), when in HOLDER.items()),
        "",
        "## A device",
        "",
        "```mermaid",
        "stateDiagram-v2",
        *_device_arrows(),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _device_arrows() -> Iterator[str]:
    yield "    [*] --> unknown"
    for before, following in DEVICE.items():
        for after in sorted(following):
            yield f"    {before} --> {after}"
