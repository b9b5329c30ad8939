"""Which wrong answer is given when, and the wrong bundles."""

from random import Random

from connector_testkit.simulators.ca.bundles import Bundles
from connector_testkit.simulators.ca.commands import Lie, LieOrder, Operation
from connector_testkit.simulators.ca.hostile import huge_exponent, huge_modulus
from connector_testkit.simulators.ca.keys import KeyPool
from connector_testkit.simulators.ca.problems import Refusal
from connector_testkit.simulators.ca.registry import Escrowed, Registry


class Lies:
    """The lies that were ordered and not used up, oldest first."""

    def __init__(self) -> None:
        self._orders: list[tuple[LieOrder, int | None]] = []

    def order(self, order: LieOrder) -> None:
        """Tell this lie from now on."""
        self._orders.append((order, order.times))

    def clear(self) -> None:
        """Be honest again."""
        self._orders.clear()

    def told(
        self, operation: Operation, person: str | None, fingerprint: str | None
    ) -> LieOrder | None:
        """The first wrong answer that fits; it counts as given."""
        for place, (order, left) in enumerate(self._orders):
            if not _fits(order, operation, person, fingerprint):
                continue
            if left is not None:
                self._orders[place] = (order, left - 1)
                self._orders = [entry for entry in self._orders if entry[1] != 0]
            return order
        return None


def _fits(
    order: LieOrder, operation: Operation, person: str | None, fingerprint: str | None
) -> bool:
    return (
        order.told_at is operation
        and order.person in {None, person}
        and order.fingerprint in {None, fingerprint}
    )


class LyingBundles:
    """Bundles that are not what was asked for."""

    def __init__(self, registry: Registry, bundles: Bundles, keys: KeyPool, dice: Random) -> None:
        """Take where other people's keys are found, and what encodes."""
        self._registry = registry
        self._bundles = bundles
        self._keys = keys
        self._dice = dice

    async def encode(self, lie: Lie, asked: Escrowed, password: bytes) -> bytes:
        """The bundle that ``lie`` puts in the place of the one asked for.

        Raises:
            Refusal: ``generation_unknown`` when there is no other generation to lie with.
        """
        match lie:
            case Lie.TRUNCATED:
                whole = self._bundles.encode(asked, password)
                return whole[: len(whole) // 2]
            case Lie.OTHER_PERSONS_KEY:
                return self._bundles.encode(self._other(asked, same_person=False), password)
            case Lie.OTHER_GENERATION:
                return self._bundles.encode(self._other(asked, same_person=True), password)
            case Lie.HOSTILE_MODULUS:
                return self._bundles.misfit(huge_modulus(self._dice), asked.certificate, password)
            case Lie.HOSTILE_EXPONENT:
                return self._bundles.misfit(huge_exponent(self._dice), asked.certificate, password)
            case _:
                key = await self._keys.take(asked.order.key_algorithm)
                return self._bundles.misfit(key, asked.certificate, password)

    def _other(self, asked: Escrowed, *, same_person: bool) -> Escrowed:
        for person in self._registry:
            if (person.record.person == asked.order.person) is not same_person:
                continue
            for generation in reversed(person.generations):
                if generation is not asked:
                    return generation
        raise Refusal("generation_unknown")
