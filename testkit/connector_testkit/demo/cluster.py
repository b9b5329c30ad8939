"""The stage with several connectors: three processes of it, and one real Kafka broker."""

from pathlib import Path

from connector_testkit.demo.broker import Brokers
from connector_testkit.demo.kafka_program import VERSION
from connector_testkit.demo.pod import Pod
from connector_testkit.demo.settings_file import Addresses, clustered
from connector_testkit.demo.stage import Stage

KAFKA = "kafka"
PODS = ("pod-1", "pod-2", "pod-3")


class Cluster(Stage):
    """Three connectors that share their work; none needs the journal's files of another."""

    opening = (
        f"Starting a CA, a UEM, a real broker (Apache Kafka {VERSION}, downloaded once)"
        " and three connectors, each a process of its own"
    )
    whose = "the connectors' and the broker's"

    async def upstreams(self) -> Addresses:
        """The broker, and the upstreams of every stage.

        Raises:
            BrokerUnavailable: there is no broker to be had on this machine.
        """
        brokers = Brokers(self.folder / KAFKA)
        self._brokers = await self._stack.enter_async_context(brokers)
        return await super().upstreams()

    async def connectors(self) -> list[Pod]:
        """Three, with the clustered journal; its topics are made.

        Raises:
            RuntimeError: the topics could not be made.
        """
        pods = [
            self.pod(name, folder, clustered(folder, self._brokers.bootstrap))
            for name in PODS
            for folder in [self.written / name]
        ]
        await pods[0].ask("kafka", "init")
        return pods

    async def recover(self, pod: Pod) -> str:
        """Point the webhooks elsewhere, as a load balancer would; the others do the work."""
        left = [other for other in self.pods if other is not pod]
        await self.aim_uem(left[0])
        await self.aim_ca(left[-1])
        names = " and ".join(other.name for other in left)
        return f"{names} take over webhooks and partitions after {pod.name}'s session timeout (6 s)"

    def processes(self) -> list[int]:
        """As ever, and the broker."""
        return [*super().processes(), *(node.pid for node in self._brokers.nodes)]

    def places(self) -> dict[str, Path]:
        """As ever, and where the broker keeps topics, settings and what it says."""
        return {
            "file, log and answer of the connectors": self.written,
            "file of the broker, including topics": self.folder / KAFKA,
        }
