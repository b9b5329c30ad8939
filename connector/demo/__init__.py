"""``pki-connector demo``: the main job, end to end, with real processes on loopback ports."""

from connector.demo.cluster import Cluster
from connector.demo.stage import Stage
from connector.demo.story import run

__all__ = ["Cluster", "Stage", "run"]
