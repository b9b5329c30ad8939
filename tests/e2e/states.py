"""What a holder's state may be waited for to be."""

from collections.abc import Callable

from connector.core.states import CopyState, HolderState, Phase

Fits = Callable[[HolderState], bool]


def in_phase(phase: Phase) -> Fits:
    """Whether the newest delivery is in a phase."""
    return lambda state: state.delivery is not None and state.delivery.phase is phase


def has_copy(copy: CopyState) -> Fits:
    """Whether that is known of the copy."""
    return lambda state: state.copy_.state is copy


def troubled(code: str) -> Fits:
    """Whether an open delivery has this trouble."""

    def fits(state: HolderState) -> bool:
        delivery = state.delivery
        trouble = delivery.trouble if delivery is not None and delivery.open else None
        return trouble is not None and trouble.code == code

    return fits


def is_handing_over(state: HolderState) -> bool:
    """Whether a hand-over is under way."""
    return state.running is not None and state.running.digest is not None
