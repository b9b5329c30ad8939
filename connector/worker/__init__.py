"""The worker loop: take facts, advance states, commit them as one round, start effects."""

from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.owners import Owners

__all__ = ["Owners", "PartitionWorker", "WorkerOptions"]
