"""The files that a node's container runtime, its network plug-in and its kubelet read."""

import json
import shutil
from pathlib import Path

import yaml

from tests.cluster.identities import ADDRESS, Identities

PLUGINS = Path("/usr/lib/cni")
NETWORKS = ("bridge", "host-local", "loopback")
PROGRAMS = ("containerd", "ctr", "ip")
PAUSE = "localhost/pause:1"
PODS = "10.89.0.0/24"
"""The addresses of pods, of which the bridge takes the first."""
DOMAIN = "cluster.local"

CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
netns_mounts_under_state_dir = true
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{folder}/cni"
"""


def write_containerd(folder: Path, socket: Path) -> Path:
    """Everything of containerd's is below ``folder``; the file with its settings."""
    path = folder / "containerd.toml"
    text = CONTAINERD.format(folder=folder, socket=socket, pause=PAUSE, plugins=PLUGINS)
    path.write_text(text, "utf-8")
    return path


def write_network(folder: Path) -> None:
    """One bridge for all pods; nothing is translated, because there is no way out."""
    addresses = {
        "type": "host-local",
        "dataDir": str(folder / "addresses"),
        "ranges": [[{"subnet": PODS}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    bridge = {"type": "bridge", "bridge": "pods0", "isGateway": True, "ipam": addresses}
    plugins = [bridge, {"type": "loopback"}]
    document = {"cniVersion": "0.4.0", "name": "pods", "plugins": plugins}
    (folder / "cni").mkdir()
    (folder / "cni" / "pods.conflist").write_text(json.dumps(document), "utf-8")


def write_kubelet(folder: Path, socket: Path, identities: Identities) -> Path:
    """The file with the kubelet's settings."""
    document = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(identities.authority)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "clusterDNS": [ADDRESS],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{socket}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "failSwapOn": False,
        "podLogsDir": str(folder / "logs"),
        "resolvConf": "",
        "tlsCertFile": str(identities.certificate("kubelet")),
        "tlsPrivateKeyFile": str(identities.key("kubelet")),
        "volumePluginDir": str(folder / "volume-plugins"),
    }
    path = folder / "kubelet.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def missing() -> str:
    """Why no containers can be run for pods here; nothing when they can."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    absent += [str(PLUGINS / name) for name in NETWORKS if not (PLUGINS / name).exists()]
    return f"not installed: {', '.join(absent)}" if absent else ""
