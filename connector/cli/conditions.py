"""What stands at the top of ``status``: the conditions of the service, worst first."""

from collections.abc import Sequence

from connector.cli.formatting import age
from connector.cli.options import Call
from connector.cli.output import Format
from connector.core.conditions import Condition, Severity
from connector.core.model import Millis

STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.NOTICE: ""}


def show(call: Call, conditions: Sequence[Condition], now: Millis) -> None:
    """One line for each, with what to do below it; beside CSV as remarks."""
    for one in conditions:
        since = f" (for {age(one.since, now)})" if one.since is not None else ""
        lines = f"{one.severity.upper()} {one.code} {one.text}{since}", f"    {one.action}"
        if call.screen.form is Format.CSV:
            for line in lines:
                call.screen.fault(line)
        else:
            call.screen.line(lines[0], STYLES[one.severity])
            call.screen.line(lines[1])
