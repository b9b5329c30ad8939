"""The loop: facts come in, states advance, one commit serves all that waited, effects start."""

from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions

__all__ = ["PartitionWorker", "WorkerOptions"]
