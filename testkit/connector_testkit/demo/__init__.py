"""``pki-connector demo``: the main job, end to end, with real processes on loopback ports."""

from connector_testkit.demo.cluster import Cluster
from connector_testkit.demo.script import run
from connector_testkit.demo.stage import Stage

__all__ = ["Cluster", "Stage", "run"]
