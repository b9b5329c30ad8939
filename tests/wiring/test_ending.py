"""What is reported when the service ends by an error."""

import re

import pytest

from connector.core.errors import Permanent, Transient
from connector.core.model import parse_subject
from connector.wiring.exit_reason import ending


def test_the_error_with_a_code_is_told() -> None:
    """Out of nested groups of errors the one that has a code is reported, in any order."""
    known = Permanent("SRV-001", "listening for probes: address already in use")
    group = ExceptionGroup("tasks", [ValueError("x"), ExceptionGroup("more", [known])])
    assert ending(group) is known
    assert ending(Transient("JRN-001")).code == "JRN-001"


def test_an_unknown_error_is_told_by_class_and_place() -> None:
    """An unforeseen error becomes SRV-002 with class and line, but without its text."""
    with pytest.raises(ValueError, match="unpack") as failed:
        parse_subject("hunter2")
    told = ending(ExceptionGroup("tasks", [failed.value]))
    assert told.code == "SRV-002"
    assert re.fullmatch(r"ValueError at connector/core/model\.py:\d+", told.detail)


def test_an_error_of_a_library_names_no_place() -> None:
    """An exception that passed no line of ours says so."""
    assert ending(KeyError("x")).detail == "KeyError at a library"
