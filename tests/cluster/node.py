"""Kubernetes on one machine: control plane, container runtime and kubelet, each a process."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Self

from connector.keys.handover.hardening import end_with_parent
from connector_testkit.demo.polling import until
from tests.cluster import binaries, configuration
from tests.cluster.client import Client
from tests.cluster.identities import ADDRESS, NODE, Identities
from tests.patience import PATIENCE, SLOWNESS

ENDS = 20 * SLOWNESS
"""Seconds that a program has to end, before it is killed."""
SERVICES = "10.96.0.0/24"
CGROUPS = Path("/sys/fs/cgroup")


class Node:
    """Used as ``with Node(folder, archives) as node:``, in a network namespace of its own.

    ``folder`` is on a disk, has a short path, and is empty; ``archives`` are images for its pods.
    """

    def __init__(self, folder: Path, archives: tuple[Path, ...]) -> None:
        self.folder = folder
        self.programs = binaries.made()
        self.socket = folder / "containerd.sock"
        self._archives = archives
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self.identities = Identities(self.folder / "identities")
        self.client = Client(
            self.programs / "kubectl", self.identities.kubeconfig("admin"), self.folder / "helm"
        )
        try:
            self._network()
            asyncio.run(self._start())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process, and leave no mount and no control group."""
        with self._running:
            self.client.tried("delete", "namespace", "--all", "--wait=false")
        mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
        for place in reversed([line.split()[1] for line in mounts]):
            if Path(place).is_relative_to(self.folder):
                subprocess.run(["umount", "--lazy", place], check=False)
        for group in sorted(CGROUPS.glob("*/kubepods/**/"), reverse=True):
            group.rmdir()

    def ctr(self, *arguments: str) -> str:
        """A command to the container runtime; what it printed."""
        command = ["ctr", "--address", str(self.socket), "--namespace", "k8s.io", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"ctr {arguments}: {done.stderr}"
        return done.stdout

    def _network(self) -> None:
        for command in (
            "link add node0 type bridge",
            f"address add {ADDRESS}/24 dev node0",
            "link set node0 up",
            "route add default dev node0",
        ):
            subprocess.run(["ip", *command.split()], check=True)

    async def _start(self) -> None:
        settings = configuration.write_containerd(self.folder, self.socket)
        configuration.write_network(self.folder)
        self._run("containerd", "--config", str(settings))
        self._running.callback(self._end_containers)
        await until("containerd answers", self._runtime_answers, every=0.5)
        for archive in self._archives:
            self.ctr("images", "import", str(archive))
        self._control_plane()
        await until("the interface answers", self._interface_answers, every=0.5)
        self._workers()
        await until("the node is ready", self._node_is_ready, every=0.5)

    async def _runtime_answers(self) -> bool:
        return self.socket.exists()

    async def _interface_answers(self) -> bool:
        return self.client.tried("get", "--raw", "/readyz").returncode == 0

    async def _node_is_ready(self) -> bool:
        condition = "--for=condition=Ready"
        return self.client.tried("wait", condition, f"node/{NODE}", "--timeout=1s").returncode == 0

    def _control_plane(self) -> None:
        own = self.identities
        self._run("etcd", "--data-dir", str(self.folder / "etcd"), "--unsafe-no-fsync")
        self._run(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--advertise-address={ADDRESS}",
            f"--cert-dir={self.folder}",
            f"--client-ca-file={own.authority}",
            f"--tls-cert-file={own.certificate('apiserver')}",
            f"--tls-private-key-file={own.key('apiserver')}",
            f"--kubelet-client-certificate={own.certificate('apiserver')}",
            f"--kubelet-client-key={own.key('apiserver')}",
            f"--kubelet-certificate-authority={own.authority}",
            "--kubelet-preferred-address-types=InternalIP,Hostname",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={own.key('apiserver')}",
            f"--service-account-key-file={own.key('apiserver')}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged",
            f"--service-cluster-ip-range={SERVICES}",
        )

    def _workers(self) -> None:
        own = self.identities
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={own.kubeconfig('controller-manager')}",
            f"--service-account-private-key-file={own.key('apiserver')}",
            f"--root-ca-file={own.authority}",
            f"--cert-dir={self.folder}",
            "--leader-elect=false",
        )
        scheduler = own.kubeconfig("scheduler")
        self._run("kube-scheduler", f"--kubeconfig={scheduler}", "--leader-elect=false")
        settings = configuration.write_kubelet(self.folder, self.socket, own)
        self._run(
            "kubelet",
            f"--config={settings}",
            f"--kubeconfig={own.kubeconfig('kubelet')}",
            f"--root-dir={self.folder / 'kubelet'}",
            f"--hostname-override={NODE}",
            f"--node-ip={ADDRESS}",
        )
        names = (sys.executable, "-m", "tests.cluster.names")
        self._run("names", *self.client.reaching, program=names)

    def _run(self, name: str, *arguments: str, program: tuple[str, ...] = ()) -> None:
        """Start a program that ends with the node, or with this process."""
        own = self.programs / name
        command = program or (str(own) if own.exists() else name,)
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=partial(end_with_parent, os.getpid()),  # noqa: PLW1509 - it calls no Python of ours but this
            )
        self._running.callback(_end, process)

    def _end_containers(self) -> None:
        for name in self.ctr("tasks", "list", "--quiet").split():
            self.ctr("tasks", "kill", "--all", "--signal", "SIGKILL", name)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(ENDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)
