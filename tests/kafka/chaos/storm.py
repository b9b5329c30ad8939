"""The storm: what happens and what is done to processes and brokers, all at the same time."""

import asyncio
from collections import Counter

from connector.journal.kafka.cluster import administration
from connector.journal.settings import KafkaSettings
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import until
from tests.kafka.chaos.faults import BLOWS, still_up
from tests.kafka.chaos.pace import Pace
from tests.kafka.chaos.plan import blows, broker_blows, happenings
from tests.kafka.chaos.world import ChaosWorld


class Storm:
    """Breaks loose with :meth:`rage`. ``done`` counts what was done, by its name."""

    def __init__(self, world: ChaosWorld, seed: int, seconds: float) -> None:
        """Nothing is done yet."""
        self._world = world
        self._seed = seed
        self._seconds = seconds
        self.done: Counter[str] = Counter()

    async def rage(self) -> None:
        """For its time; at the end every process and every broker is up again.

        Raises:
            UnexpectedEndError: (in a group) a process that served has ended by itself.
        """
        pace = Pace(self._seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._happen(pace))
            group.create_task(self._strike_brokers(pace))
            for number, pod in enumerate(self._world.pods):
                group.create_task(self._strike(pace, number, pod))

    async def _happen(self, pace: Pace) -> None:
        world = self._world
        for one in happenings(self._seed, len(world.actors), self._seconds):
            if not await pace.until(one.at):
                return
            await getattr(world, one.kind)(world.actors[one.who])
            self.done[one.kind] += 1

    async def _strike(self, pace: Pace, number: int, pod: Pod) -> None:
        for blow in blows(self._seed, number):
            if not await pace.rest(blow.pause):
                return
            still_up(pod)
            await BLOWS[blow.kind](pod, pace, blow.seconds)
            self.done[blow.kind] += 1

    async def _strike_brokers(self, pace: Pace) -> None:
        nodes = self._world.brokers.nodes
        for blow in broker_blows(self._seed, len(nodes)):
            if not await pace.rest(blow.pause):
                return
            node = nodes[blow.number]
            await node.kill()
            await pace.rest(blow.seconds)
            await node.start()
            await until(f"broker {node.number} has caught up", self._in_sync)
            self.done["broker"] += 1

    async def _in_sync(self) -> bool:
        """Whether every broker has everything."""
        options = KafkaSettings(
            type="kafka", bootstrap_servers=tuple(self._world.brokers.bootstrap.split(","))
        )
        async with administration(options) as admin:
            return all(
                len(partition["isr"]) == len(partition["replicas"])
                for topic in await admin.describe_topics()
                for partition in topic["partitions"]
            )
