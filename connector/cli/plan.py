"""A dry run on the screen: what a delivery would do, and what stands in its way."""

from connector.catalogue import catalogue
from connector.cli.formatting import day, short
from connector.cli.options import Call
from connector.cli.output import Format
from connector.operators.verbs.plan import PlanReport

COLUMNS = ("generation", "slot", "usage", "valid from", "until", "delivered before", "reason")


def show(call: Call, report: PlanReport) -> None:
    """Show a plan; as CSV its generations."""
    rows = [
        (
            short(row.fingerprint) if call.screen.form is Format.TABLE else row.fingerprint,
            row.slot or "-",
            row.usage,
            day(row.not_before),
            day(row.not_after),
            row.delivered_before,
            row.why,
        )
        for row in report.generations
    ]
    match call.screen.form:
        case Format.JSON:
            call.screen.json({**report.model_dump(mode="json"), "deliver": report.would_deliver})
        case Format.CSV:
            call.screen.csv(COLUMNS, rows)
        case Format.TABLE:
            call.screen.facts(_facts(report), report.holder)
            call.screen.table(COLUMNS, rows, "Generations")
            _devices(call, report)
            _faults(call, report)


def _facts(report: PlanReport) -> list[tuple[str, object]]:
    return [
        ("name", report.name),
        ("mail", report.mail),
        ("route", report.route),
        ("CA", report.ca),
        ("person at the CA", report.person),
        ("would replace", report.replaces),
    ]


def _devices(call: Call, report: PlanReport) -> None:
    call.screen.table(
        ("device", "name", "platform", "enrolled", "gate"),
        [
            (device.device, device.name, device.platform, device.enrolled, device.unfit or "fit")
            for device in report.devices
        ],
        "Devices that would receive the keys",
    )


def _faults(call: Call, report: PlanReport) -> None:
    if report.would_deliver:
        call.screen.line("The delivery is possible. No key was fetched or sent.")
        return
    rows = [
        (fault.code, fault.detail, catalogue()[fault.code].action if _known(fault.code) else "")
        for fault in report.faults
    ]
    call.screen.table(("code", "problem", "action"), rows, "Faults")


def _known(code: str) -> bool:
    return code in catalogue()
