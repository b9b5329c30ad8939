"""What every status and act begins with while a pause stands: by whom, since when, and why."""

from collections.abc import Iterable

from connector.cli.formatting import moment
from connector.cli.options import Call
from connector.cli.output import Format
from connector.core.states import StandingPause


def show(call: Call, pauses: Iterable[StandingPause]) -> None:
    """One line for each; beside JSON and CSV as remarks."""
    for pause in pauses:
        line = _line(pause)
        if call.screen.form is Format.TABLE:
            call.screen.line(line, "bold red")
        else:
            call.screen.fault(line)


def _line(pause: StandingPause) -> str:
    what = "PAUSED" if pause.route is None else f"PAUSED route {pause.route}"
    since = f" since {moment(pause.since)}" if pause.since is not None else ""
    by = f" by {pause.by}" if pause.by else ""
    why = f": {pause.reason}" if pause.reason else ""
    return f"{what}{by}{since}{why}"
