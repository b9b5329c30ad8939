"""``pki-connector demo``: the main job, end to end, with real processes on loopback ports."""

from connector_testkit.demo.cluster import Cluster
from connector_testkit.demo.stage import Stage
from connector_testkit.demo.story import run

__all__ = ["Cluster", "Stage", "run"]
