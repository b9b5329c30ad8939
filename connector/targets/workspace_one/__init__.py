"""Target plug-in ``workspace_one``: Omnissa (VMware) Workspace ONE UEM over its REST interface.

What is known of the interface and what is only assumed: ``docs/workspace-one.md``.
"""

from connector.targets.workspace_one.settings import WorkspaceOneSettings
from connector.targets.workspace_one.target import WorkspaceOne

__all__ = ["WorkspaceOne", "WorkspaceOneSettings"]
