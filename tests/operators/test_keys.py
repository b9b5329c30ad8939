"""One subject has one key, in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.errors import Rejected
from connector.core.model import subject_key
from connector.operators.client import AdminClient
from connector.operators.search import KINDS, as_key
from connector.operators.verbs.acts import Deliver, ForgetIdentity
from connector.operators.verbs.status import Kind
from tests.operators.world import PAIR, AdminWorld, holder
from tests.support import asked

TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: text.isprintable())
NUMBERS = st.integers(0, 2**63).map(str)
LOOKED_UP: st.SearchStrategy[Kind] = st.sampled_from(["holder", "device"])


def spelled(text: str, escaped: list[bool]) -> str:
    """The text with some of its characters percent-encoded, and those that must be."""
    return "".join(
        "".join(f"%{byte:02x}" for byte in letter.encode())
        if escape or not (letter.isascii() and letter.isalnum())
        else letter
        for letter, escape in zip(text, escaped, strict=True)
    )


@given(data=st.data(), kind=LOOKED_UP, tenant=TEXTS, number=NUMBERS, zeros=st.integers(0, 3))
def test_every_spelling_is_the_same_subject(
    data: st.DataObject, kind: Kind, tenant: str, number: str, zeros: int
) -> None:
    """Percent-encoding where none is needed, leading zeros: the same key."""

    def written(text: str) -> str:
        flags = st.lists(st.booleans(), min_size=len(text), max_size=len(text))
        return spelled(text, data.draw(flags))

    wanted = f"{written(tenant)}/{KINDS[kind]}/{written('0' * zeros + number)}"
    assert as_key(kind, wanted) == subject_key(tenant, KINDS[kind], number)


@given(tenant=TEXTS, name=TEXTS)
def test_names_at_the_ca_keep_their_zeros(tenant: str, name: str) -> None:
    """There 007 need not be 7."""
    key = subject_key(tenant, KINDS["person"], f"00{name}")
    assert as_key("person", key) == key


async def test_another_spelling_opens_no_second_subject(
    world: AdminWorld, client: AdminClient
) -> None:
    """What is asked for by an odd spelling is asked for the holder that is known."""
    await world.put(holder())
    for wanted in ("corp/user/012", "corp/user/%31%32", "c%6Frp/user/12", "012"):
        receipt = await asked.act(client, Deliver(holder=wanted, reason="new phone"))
        assert receipt.subjects == ("corp/user/12",)


async def test_an_id_that_is_the_user_name_of_another_names_neither(
    world: AdminWorld, client: AdminClient
) -> None:
    """The refusal says by which keys each of them is named; one who is both is meant."""
    await world.put(holder(12, name="13"), holder(13, name="12"), holder(14, name="14"))
    with pytest.raises(Rejected, match=r"EVT-007.*corp/user/12, corp/user/13"):
        await asked.act(client, ForgetIdentity(holder="13", reason="left"))
    assert await world.events() == []
    for wanted, key in (("corp/user/13", "corp/user/13"), ("14", "corp/user/14")):
        forget = ForgetIdentity(holder=wanted, reason="left", **PAIR.model_dump())
        receipt = await asked.act(client, forget)
        assert receipt.subjects == (key,)
