"""The page ``docs/configuration.md``, made from the settings themselves."""

from collections.abc import Iterator

from connector.settings.introspection import Group, Member, groups
from connector.settings.model import settings_model
from connector.settings.plugins import Plugins

HEAD = """\
# Configuration

This page is made by `make docs` from the settings; do not edit it.

`pki-connector config example` prints a file to begin with, `config check` shows every value with
its source and reports every fault with its place, `config schema` prints the JSON Schema
(`schemas/configuration.schema.json`).

- The YAML file is named by `--config` or `PKI_CONNECTOR_CONFIG`. Its scalars are those of YAML 1.2:
  `off` and `no` are words, not truth values. An empty value means *not given*. Relative paths start
  at the directory of the file.
- Any value can come from the environment and then wins: `service.log_level` is
  `PKI_CONNECTOR_SERVICE__LOG_LEVEL`, with two underscores between levels; a hyphen in a name is
  written as an underscore; lists are JSON.
- Secrets are mounted files; the settings hold their paths (`…_file`). A secret in the environment
  or in the file is refused. Mounted files are followed: a changed password is used without restart.
- Durations carry their unit (`500ms`, `3s`, `48h`, `14d`, `1h30m`) or are ISO 8601 (`PT48H`).
- **must be decided** marks what has no default because a wrong guess can destroy something.
"""


def configuration_page(plugins: Plugins) -> str:
    """The whole page as Markdown."""
    lines = [HEAD.rstrip()]
    for group in groups(settings_model(plugins)):
        if group.members:
            lines += _section(group)
    return "\n".join(lines) + "\n"


def _section(group: Group) -> Iterator[str]:
    plugin = f" with `type: {group.tag}`" if group.tag else ""
    path = "".join("[]" if part == "N" else f".{part}" for part in group.place)
    yield f"\n## `{path.removeprefix('.')}`{plugin}\n"
    yield f"{group.text}\n"
    yield "| setting | kind | default | meaning |"
    yield "| --- | --- | --- | --- |"
    for member in group.members:
        yield _row(member)


def _row(member: Member) -> str:
    default = f"`{member.default}`"
    if member.required:
        default = "**must be decided**" if member.consider else "**required**"
    meaning = f"{member.text} *Consider:* {member.consider}" if member.consider else member.text
    cells = (f"`{member.path[-1]}`", member.kind, default, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
