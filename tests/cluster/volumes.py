"""Volumes of the node itself, made by hand, because no provisioner runs."""

import os
from pathlib import Path
from typing import Any

from tests.image.engine import USER


def volume(
    name: str, folder: Path, size: str, mode: str, storage_class: str = ""
) -> dict[str, Any]:
    """A PersistentVolume in this folder, which is made and given to the service's user.

    A kubelet changes neither owner nor mode of such a volume.
    """
    folder.mkdir(parents=True)
    os.chown(folder, USER, USER)
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "accessModes": [mode],
            "capacity": {"storage": size},
            "hostPath": {"path": str(folder)},
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": storage_class,
        },
    }
