"""What to think about before deciding the settings of a route that have no default."""

from pydantic import JsonValue

CONSIDER = {
    "person_attribute": (
        "It decides whose keys are handed over: a user who can edit it can receive another user's "
        "keys. Choose one that only the directory can write (not the mail address alone)."
    ),
    "agreeing_attribute": (
        "A second attribute, maintained separately, that must match the CA's record. A mistake in "
        "one of them then stops the delivery instead of disclosing keys."
    ),
    "retention": (
        "Use the value set in the UEM. If it is shorter here, a copy is reported as gone while it "
        "still exists. If it is longer, copies are watched for longer than needed."
    ),
    "profiles": (
        "Only this profile counts as evidence that the keys arrived. Name the mail profile with "
        "S/MIME of each platform; `*` stands for all other platforms."
    ),
    "other_devices": (
        "The UEM sends the keys to all devices of a user. `hold`: no key leaves escrow while "
        "another device of the user is compromised. `accept`: that device receives the keys too."
    ),
    "unknown_set": (
        "An upload replaces all that the UEM holds for the user. `replace`: also a set that was "
        "uploaded by hand. `refuse`: the first delivery must be requested by an operator."
    ),
    "signing": (
        "An escrowed signing key can sign in the user's name. `required`: no delivery without "
        "one. `if_escrowed`: sent when there is one. `never`: encryption keys only."
    ),
}


def considered(member: str) -> dict[str, JsonValue]:
    """The text as a keyword of the member's JSON Schema (``json_schema_extra``)."""
    return {"x-consider": CONSIDER[member]}
