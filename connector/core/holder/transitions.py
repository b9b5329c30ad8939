"""The one table of phases: from where to where a delivery may go, and why.

``docs/states.md`` is generated from it, and every change of phase is checked against it.
"""

from connector.core.states import Phase

P = Phase

TRANSITIONS: dict[tuple[Phase, Phase], str] = {
    (P.PLANNING, P.RECOVERING): "the set is chosen, and requests must be opened at the CA",
    (P.PLANNING, P.HANDING_OVER): "the set is chosen, and every request is granted already",
    (P.PLANNING, P.AWAITING_PURGE): "the last waiting device left; others have the set",
    (P.PLANNING, P.FAILED): "a permanent fault, or the deadline",
    (P.PLANNING, P.CANCELLED): "superseded, devices left, observed only, or by an operator",
    (P.RECOVERING, P.HANDING_OVER): "every request is granted",
    (P.RECOVERING, P.AWAITING_PURGE): "the last waiting device left; others have the set",
    (P.RECOVERING, P.FAILED): "denied, a permanent fault, or the deadline",
    (P.RECOVERING, P.CANCELLED): "superseded, devices left, or by an operator",
    (P.HANDING_OVER, P.AWAITING_INSTALL): "the UEM accepted the set",
    (P.HANDING_OVER, P.PLANNING): "the CA's list changed during the hand-over",
    (P.HANDING_OVER, P.RECOVERING): "a grant expired",
    (P.HANDING_OVER, P.AWAITING_PURGE): "the last waiting device left; others have the set",
    (P.HANDING_OVER, P.FAILED): "refused, a permanent fault, or the deadline",
    (P.HANDING_OVER, P.CANCELLED): "superseded, devices left, or by an operator",
    (P.AWAITING_INSTALL, P.AWAITING_PURGE): "every device has ended, at least one installed",
    (P.AWAITING_INSTALL, P.PLANNING): "the copy expired while a device waits",
    (P.AWAITING_INSTALL, P.FAILED): "no device installed it, or the user's identity changed",
    (P.AWAITING_INSTALL, P.CANCELLED): "superseded, devices left, or by an operator",
    (P.AWAITING_PURGE, P.AWAITING_INSTALL): "a device joined; the copy is kept long enough",
    (P.AWAITING_PURGE, P.PLANNING): "a device joined; the copy is purged too soon",
    (P.AWAITING_PURGE, P.COMPLETED): "the copy is gone, with evidence",
    (P.AWAITING_PURGE, P.FAILED): "the user's identity changed before a device joined",
    (P.AWAITING_PURGE, P.CANCELLED): "superseded, devices left, or by an operator",
}
