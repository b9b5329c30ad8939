"""The loop: facts come in, states advance, one commit serves all that waited, effects start."""

from connector.worker.loop import PartitionWorker
from connector.worker.options import WorkerOptions
from connector.worker.owners import Owners

__all__ = ["Owners", "PartitionWorker", "WorkerOptions"]
