"""The stage of the end-to-end tests with the service in pods and the simulators outside them."""

import asyncio
import json
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import yaml

from connector_testkit.demo.pod import Pod
from connector_testkit.demo.polling import ASK, until
from connector_testkit.demo.settings_file import Addresses, changed
from connector_testkit.simulators.ca import CaOptions, CaSimulator
from connector_testkit.simulators.ca.commands import Webhook
from connector_testkit.simulators.tls import issue_tls
from connector_testkit.simulators.uem import UemSimulator
from tests.cluster.client import CHART
from tests.cluster.configuration import PODS
from tests.cluster.identities import ADDRESS
from tests.cluster.node import Node
from tests.e2e.world import FAST, World, route

INTAKE = 8443
HOSTS = tuple(str(one) for one in ip_network(PODS).hosts())
"""All addresses that pods can have: a UEM outside the cluster has one name, we have no balancer."""
IMAGE = {
    "registry": "localhost",
    "repository": "pki-connector",
    "tag": "plain",
    "pullPolicy": "Never",
}


class Installed(World):
    """One release of the chart, in a namespace that has the name of its test.

    ``values`` is the name of a file in the chart's ``ci/``; ``changes`` are laid over it.
    """

    def __init__(
        self, folder: Path, node: Node, values: str, changes: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(folder)
        self.node = node
        self.release = "corp"
        self.namespace = folder.parent.name.replace("_", "-").lower()
        self.workload = f"{self.release}-pki-connector"
        self._values = values
        self._laid_over = changes or {}

    async def upstreams(self) -> Addresses:
        ca = await self._stack.enter_async_context(
            CaSimulator(CaOptions(directory=self.tls[0], key_pool=2, listen_host=ADDRESS))
        )
        options = self._options().model_copy(update={"host": ADDRESS})
        uem = await self._stack.enter_async_context(UemSimulator(options))
        return Addresses(
            ca=ca.api_url,
            ca_control=ca.control_url,
            uem=uem.api_url,
            uem_control=uem.control_url,
        )

    async def connectors(self) -> list[Pod]:
        """None is a process of ours: the cluster starts them."""
        self.secrets.tls = issue_tls(self.secrets.folder / "tls", hosts=HOSTS)
        self._namespace()
        for what, files in self.files().items():
            self._make(what, files)
        return []

    async def _start_pods(self) -> None:
        await self.helm("install", *self._chart())
        await self.aim()

    def settings(self) -> dict[str, Any]:
        """What differs from the file in ``ci/``: where the simulators are, and short waits.

        The simulated UEM does not show an empty set, so that the first one is unknown to it.
        """
        files = "/run/secrets/issuers"
        upstreams = {
            "uems": {
                "corp": {
                    "address": self._at.uem,
                    "ca_file": f"{files}/uem.crt",
                    "archived_mode": "list-field",
                    "archived_member": "ArchivedCertificates",
                }
            },
            "cas": {"main": {"address": self._at.ca, "ca_file": f"{files}/ca.crt"}},
        }
        fast = {name: FAST[name] for name in ("worker", "routes")}
        unknown = route(unknown_set="replace")
        return {"image": IMAGE, "config": changed(changed(upstreams, fast), unknown)}

    def _chart(self, changes: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        laid_over = self.folder / "values.yaml"
        values = changed(changed(self.settings(), self._laid_over), changes or {})
        laid_over.write_text(yaml.safe_dump(values), "utf-8")
        files = (str(CHART / "ci" / self._values), str(laid_over))
        options = [word for file in files for word in ("--values", file)]
        return (self.release, str(CHART), *options, "--wait", "--timeout", "4m")

    async def upgrade(self, changes: Mapping[str, Any]) -> None:
        """Lay ``changes`` over the values of the installation."""
        await self.helm("upgrade", *self._chart(changes))
        await self.aim()

    async def rollback(self) -> None:
        """Back to the release before the last one."""
        await self.helm("rollback", self.release, "--wait", "--timeout", "4m")
        await self.aim()

    async def rescheduled(self) -> None:
        """Wait until the pods are there again, and ready."""
        await self.kubectl("rollout", "status", f"statefulset/{self.workload}", "--timeout=4m")
        await self.aim()

    async def helm(self, *arguments: str) -> str:
        """A command of Helm's for this namespace."""
        client = self.node.client
        try:
            return await asyncio.to_thread(client.helm, "-n", self.namespace, *arguments)
        except AssertionError as error:
            shown = await self.kubectl("describe", "pods")
            error.add_note(shown)
            logs = client.tried("-n", self.namespace, "logs", f"statefulset/{self.workload}")
            error.add_note(logs.stdout[-4000:])
            raise

    async def kubectl(self, *arguments: str) -> str:
        """A command of kubectl's for this namespace."""
        return await asyncio.to_thread(self.node.client.kubectl, "-n", self.namespace, *arguments)

    async def ask(self, *arguments: str) -> Any:
        """A command of ours in a pod; its JSON answer."""
        command = ("pki-connector", *arguments, "--output", "json")
        return json.loads(
            await self.kubectl("exec", f"statefulset/{self.workload}", "--", *command)
        )

    def addresses(self) -> list[str]:
        """Of the pods that take webhooks: those that are ready, by the Service's endpoints."""
        slices = self.node.client.objects(self.namespace, "endpointslices")
        wanted = {"kubernetes.io/service-name": self.workload}
        return [
            address
            for one in slices
            if wanted.items() <= one["metadata"]["labels"].items()
            for endpoint in one.get("endpoints") or []
            if endpoint["conditions"]["ready"]
            for address in endpoint["addresses"]
        ]

    async def aim(self) -> None:
        """Let UEM and CA post to a pod that is ready."""

        async def first() -> str | None:
            return next(iter(await asyncio.to_thread(self.addresses)), None)

        address = await until("a pod is among the endpoints", first, every=ASK)
        hooks = f"https://{address}:{INTAKE}/hooks"
        await self.uem.aim_webhook(
            url=f"{hooks}/workspace_one/corp",
            user="uem-events",
            password_file=str(self.secrets.hook_password),
            ca_file=str(self.secrets.tls.ca),
            retries=200,
            retry_pause=0.5,
        )
        target = Webhook(
            url=f"{hooks}/standard_webhooks/main",
            secret_file=self.secrets.ca_hook,
            ca_file=self.secrets.tls.ca,
        )
        await self.ca.set_webhook(target)

    def _namespace(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": self.namespace, "labels": labels}
        self.node.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def files(self) -> Mapping[tuple[str, ...], Mapping[str, Path]]:
        """Secrets and ConfigMaps that the settings name: the file of each key."""
        own, (ca, uem) = self.secrets, self.tls
        tls = {"tls.crt": own.tls.certificate, "tls.key": own.tls.key}
        account = {
            "password": own.api_password,
            "tenant-code": own.tenant_code,
            "hook": own.hook_password,
        }
        client = {"tls.crt": ca / "client.pem", "tls.key": ca / "client.key"}
        issuers = {"ca.crt": ca / "ca.pem", "uem.crt": uem / "ca.pem"}
        return {
            ("secret", "generic", "pki-connector-tls"): tls,
            ("secret", "generic", "pki-connector-audit"): {"key": own.audit_key},
            ("secret", "generic", "uem-account"): account,
            ("secret", "generic", "ca-client"): client,
            ("secret", "generic", "ca-hook"): {"secret": own.ca_hook},
            ("configmap", "company-issuers"): issuers,
        }

    def _make(self, what: tuple[str, ...], files: Mapping[str, Path]) -> None:
        sources = [f"--from-file={key}={path}" for key, path in files.items()]
        self.node.client.kubectl("-n", self.namespace, "create", *what, *sources)
