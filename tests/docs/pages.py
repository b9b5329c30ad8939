"""The commands that the documentation prints."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNBOOKS = tuple(sorted((ROOT / "docs/runbooks").glob("*.md")))
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *RUNBOOKS)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(pki-connector [^`]+)`")
COMMAND = re.compile(r"^\s*(pki-connector .+)$", re.MULTILINE)


def section(page: str, heading: str) -> str:
    """What stands below a heading of the second level."""
    text = (ROOT / page).read_text("utf-8")
    found = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise LookupError(f"{page} has no section {heading}")
    return found.group(1)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for kind, body in FENCE.findall(text) if kind == language]


def commands(text: str) -> Iterator[str]:
    """Every command of ours in fenced blocks and running text, without comment and shell."""
    fenced = "\n".join(body for _, body in FENCE.findall(text)).replace("\\\n", " ")
    for command in (*COMMAND.findall(fenced), *INLINE.findall(FENCE.sub("", text))):
        yield re.split(r"\s+[#>|&]|\s+\d>", command)[0].strip()
