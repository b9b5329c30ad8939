"""What to think about before deciding the settings of a route that have no default."""

from pydantic import JsonValue

CONSIDER = {
    "person_attribute": (
        "It names whose keys are handed over: whoever may edit it can receive another's keys. "
        "Take one that only the directory writes (not the mail address alone)."
    ),
    "agreeing_attribute": (
        "A second attribute, from another hand than the first, that must fit the CA's record. "
        "A mistake in one of them then stops the delivery instead of giving keys away."
    ),
    "retention": (
        "Copy it from the UEM's own setting. Too short here: a copy is called gone while it is "
        "still there. Too long: copies are watched, and called overdue, in vain."
    ),
    "profiles": (
        "Only this profile counts as proof that the keys arrived. Take the mail profile with "
        "S/MIME that the users get, per platform; `*` stands for every other platform."
    ),
    "other_devices": (
        "The UEM sends the keys to all devices of a user. `hold`: nothing leaves escrow while "
        "another device of the user is compromised. `accept`: that device gets the keys too."
    ),
    "unknown_set": (
        "An upload replaces all that the UEM holds for the user. `replace`: also what somebody "
        "put in by hand. `refuse`: the first delivery must be asked for by a person."
    ),
    "signing": (
        "An escrowed signing key can sign in the user's name. `required`: no delivery without "
        "one. `if_escrowed`: sent when there is one. `never`: encryption keys only."
    ),
}


def considered(member: str) -> dict[str, JsonValue]:
    """The text as a keyword of the member's JSON Schema (``json_schema_extra``)."""
    return {"x-consider": CONSIDER[member]}
