"""The certificates of a node's programs, and the files with which they reach the interface."""

from collections.abc import Iterable
from pathlib import Path

import trustme
import yaml

ADDRESS = "10.91.0.1"
"""Of the node, on a bridge that only its network namespace has."""
SERVER = f"https://{ADDRESS}:6443"
NODE = "node1"
ADMINISTRATORS = "system:masters"
IDENTITIES = {
    "admin": ("admin", ADMINISTRATORS),
    "controller-manager": ("controller-manager", ADMINISTRATORS),
    "scheduler": ("scheduler", ADMINISTRATORS),
    "apiserver": ("apiserver", ADMINISTRATORS),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}
"""Common name and organization, by which Kubernetes knows user and group."""
HOSTS = (ADDRESS, "127.0.0.1", "10.96.0.1", "localhost", NODE, "kubernetes.default.svc")


class Identities:
    """One authority for everything, in a folder of PEM files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        authority = trustme.CA()
        self.authority = folder / "ca.crt"
        authority.cert_pem.write_to_path(self.authority)
        for name, (user, group) in IDENTITIES.items():
            pair = authority.issue_cert(*HOSTS, common_name=user, organization_name=group)
            self._write(name, pair.cert_chain_pems, pair.private_key_pem)
            self._kubeconfig(name)

    def certificate(self, name: str) -> Path:
        """Of one program."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Of one program."""
        return self.folder / f"{name}.key"

    def kubeconfig(self, name: str) -> Path:
        """With which one program logs in at the interface."""
        return self.folder / f"{name}.kubeconfig"

    def _write(self, name: str, chain: Iterable[trustme.Blob], key: trustme.Blob) -> None:
        self.key(name).touch(mode=0o600)
        key.write_to_path(self.key(name))
        self.certificate(name).write_bytes(b"".join(one.bytes() for one in chain))

    def _kubeconfig(self, name: str) -> None:
        user = {
            "client-certificate": str(self.certificate(name)),
            "client-key": str(self.key(name)),
        }
        cluster = {"server": SERVER, "certificate-authority": str(self.authority)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": NODE, "cluster": cluster}],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": NODE, "context": {"cluster": NODE, "user": name}}],
            "current-context": NODE,
        }
        self.kubeconfig(name).write_text(yaml.safe_dump(document), "utf-8")
