"""What the objects of the chart have to be, for every file in `ci/`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.rendering import (
    CI,
    KAFKA,
    PODS,
    SQLITE,
    Document,
    containers,
    of_kind,
    only,
    pod_spec,
    settings_text,
    template,
)

pytestmark = [pytest.mark.chart, pytest.mark.slow]
each_file = pytest.mark.parametrize("values", CI, ids=lambda file: file.stem)
LONGEST = 63
LONG = "a-release-with-a-name-as-long-as-helm-allows-it-to-be"
"""53 characters."""
OF_OTHERS = frozenset({"proxy", "wait"})
"""Containers of operators, in a file of values."""
VOLUMES = frozenset({"configMap", "emptyDir", "secret", "projected", "persistentVolumeClaim"})


def workloads(values: Path, *options: str) -> Iterator[Document]:
    yield from of_kind(template(values, *options), *PODS)


@each_file
def test_pods_are_restricted_in_full(values: Path) -> None:
    """The profile *restricted* of the Pod Security Standards, and more than it asks for."""
    for workload in workloads(values):
        spec = pod_spec(workload)
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True
        assert context["runAsUser"] == context["runAsGroup"] == context["fsGroup"] == 10001
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & set(spec)
        assert not {"sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile"} & set(context)
        for volume in spec["volumes"]:
            assert len(set(volume) & VOLUMES) == 1, volume
        for one in containers(workload):
            if one["name"] not in OF_OTHERS:
                assert_locked(one)


def assert_locked(container: Document) -> None:
    context = container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    # Nothing else: what is not there cannot be weaker than the pod's own context.
    assert set(context) == {"allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities"}
    assert not any("hostPort" in port for port in container.get("ports", ()))
    resources = container["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert "cpu" in resources["requests"]
    assert "cpu" not in resources["limits"]
    assert container["terminationMessagePath"] == "/dev/termination-log"


@each_file
def test_what_is_written_to_is_a_volume(values: Path) -> None:
    """The root file system is read-only; only /tmp lies in memory, and each volume has a size."""
    for workload in workloads(values):
        in_memory = set()
        for volume in pod_spec(workload)["volumes"]:
            empty = volume.get("emptyDir")
            if empty is not None:
                assert "sizeLimit" in empty, volume
                in_memory |= {volume["name"]} if empty.get("medium") == "Memory" else set()
        assert in_memory == {"tmp"}


@each_file
@pytest.mark.parametrize("release", ["r", LONG])
def test_names_fit(values: Path, release: str) -> None:
    """Names and labels have at most 63 characters, also those that Kubernetes makes of them."""
    for one in template(values, release=release):
        name, labels = one["metadata"]["name"], one["metadata"].get("labels", {})
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name), name
        # A StatefulSet's pods have a label with its name and the hash of a version.
        room = 11 if one["kind"] == "StatefulSet" else 0
        assert len(name) + room <= LONGEST, name
        assert all(len(label) <= LONGEST for label in labels.values()), name


@each_file
def test_no_secret_lies_in_an_object(values: Path) -> None:
    """The chart writes none: not in a ConfigMap, in a variable or in a Secret."""
    objects = template(values)
    assert not of_kind(objects, "Secret")
    for one in of_kind(objects, "ConfigMap"):
        assert "PRIVATE KEY" not in json.dumps(one)
        assert not re.search(r"(?i)\b(password|tenant_code|token|secret): ", json.dumps(one))
    for workload in workloads(values):
        for container in containers(workload):
            for variable in container.get("env", ()):
                assert "secretKeyRef" not in variable.get("valueFrom", {})
            assert not any("secretRef" in one for one in container.get("envFrom", ()))
            assert not any("subPath" in one for one in container.get("volumeMounts", ()))
        for volume in pod_spec(workload)["volumes"]:
            if "secret" in volume:
                assert volume["secret"]["defaultMode"] == 0o400


@each_file
def test_images_are_fixed(values: Path) -> None:
    """By a version or a digest."""
    for workload in workloads(values):
        for one in containers(workload):
            name, _, version = one["image"].rpartition("@" if "@" in one["image"] else ":")
            assert name
            assert version not in {"", "latest"}


@each_file
def test_selectors_know_no_version(values: Path) -> None:
    """A selector never changes; pods have the labels that each selector asks for."""
    objects = template(values)
    state = only(objects, "StatefulSet")
    labels = state["spec"]["template"]["metadata"]["labels"]
    selectors = [state["spec"]["selector"]["matchLabels"]]
    selectors += [one["spec"]["selector"] for one in of_kind(objects, "Service")]
    for one in of_kind(objects, "PodDisruptionBudget"):
        selectors.append(one["spec"]["selector"]["matchLabels"])
    for selector in selectors:
        assert selector == selectors[0]
        assert selector.items() <= labels.items()
        assert not any("version" in name or "chart" in name for name in selector)
    assert "helm.sh/chart" not in labels, "a new chart alone would restart the pods"


@each_file
def test_all_objects_are_labelled(values: Path) -> None:
    """As Kubernetes recommends it."""
    for one in template(values):
        if one["metadata"]["name"].endswith("-more"):
            continue  # an object of the operator
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "pki-connector"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels["app.kubernetes.io/part-of"] == "pki-connector"
        assert labels["helm.sh/chart"].startswith("pki-connector-")


def test_the_embedded_journal_has_one_pod_and_a_volume_of_its_own() -> None:
    """Which no second pod can mount, and which stays when the release goes."""
    objects = template(SQLITE)
    spec = only(objects, "StatefulSet")["spec"]
    assert spec["replicas"] == 1
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    assert not of_kind(objects, "PodDisruptionBudget", "HorizontalPodAutoscaler", "Job")


def test_the_clustered_journal_has_pods_that_lie_apart() -> None:
    """Their local tables are thrown away with them."""
    objects = template(KAFKA)
    spec = only(objects, "StatefulSet")["spec"]
    assert spec["replicas"] == 4
    assert "volumeClaimTemplates" not in spec
    pod = spec["template"]["spec"]
    assert {one["topologyKey"] for one in pod["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    budget = only(objects, "PodDisruptionBudget")["spec"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    unset = template(KAFKA, "--set", "replicaCount=null")
    assert only(unset, "StatefulSet")["spec"]["replicas"] == 3


def test_an_autoscaler_decides_the_number_of_pods() -> None:
    """So that an upgrade does not set it back."""
    objects = template(KAFKA.with_name("kafka-mtls-values.yaml"))
    assert "replicas" not in only(objects, "StatefulSet")["spec"]
    assert only(objects, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 12


def test_a_secret_that_no_setting_names_is_not_mounted() -> None:
    """Behind proxies that end TLS, the pods would wait for a certificate that they do not need."""
    objects = template(KAFKA.with_name("kafka-mtls-values.yaml"))
    volumes = {one["name"] for one in pod_spec(only(objects, "StatefulSet"))["volumes"]}
    assert "secret-kafka" in volumes
    assert "secret-tls" not in volumes


def test_copies_of_the_journal_are_made_in_its_pod() -> None:
    """No other pod can mount the volume; the copies lie on another one, which stays."""
    objects = template(SQLITE)
    pod = pod_spec(only(objects, "StatefulSet"))
    (copying,) = [one for one in pod["containers"] if one["name"] == "backup"]
    assert copying["args"] == ["journal", "backups", "/backup", "--every=6h", "--keep=7"]
    assert {"data", "backup"} <= {one["name"] for one in copying["volumeMounts"]}
    claim = only(objects, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert len(only(objects, "ConfigMap")["data"]) == 1
    (volume,) = [one for one in pod["volumes"] if one["name"] == "backup"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


def test_copies_are_encrypted_to_a_public_key(tmp_path: Path) -> None:
    """Which is mounted beside the settings; it is no secret."""
    file = tmp_path / "public.pem"
    file.write_text("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")
    objects = template(SQLITE, "--set-file", f"backup.publicKey={file}")
    (copying,) = [
        one for one in containers(only(objects, "StatefulSet")) if one["name"] == "backup"
    ]
    (option,) = [one for one in copying["args"] if one.startswith("--to-key=")]
    mounted = Path(option.removeprefix("--to-key="))
    assert str(mounted.parent) in {one["mountPath"] for one in copying["volumeMounts"]}
    assert only(objects, "ConfigMap")["data"][mounted.name] == file.read_text()


@each_file
def test_volumes_that_are_lost_with_a_pod_keep_no_node(values: Path) -> None:
    """An autoscaler removes no node with an emptyDir that is not named; a journal is none."""
    name = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
    state = only(template(values), "StatefulSet")
    named = set(state["spec"]["template"]["metadata"]["annotations"][name].split(","))
    assert named <= {one["name"] for one in pod_spec(state)["volumes"] if "emptyDir" in one}
    assert ("data" in named) is ("type: kafka" in settings_text(template(values)))
    given = "podAnnotations." + name.replace(".", r"\.") + "=tmp"
    other = only(template(values, "--set", given), "StatefulSet")
    assert other["spec"]["template"]["metadata"]["annotations"][name] == "tmp"


def test_settings_restart_the_pods_and_secrets_do_not() -> None:
    """Mounted files are read again by the program, with any content."""

    def annotations(*options: str) -> dict[str, str]:
        found: dict[str, str] = only(template(SQLITE, *options), "StatefulSet")["spec"]["template"][
            "metadata"
        ]["annotations"]
        return found

    changed = annotations("--set", "config.service.drain=21s")
    assert annotations() != changed
    assert annotations() == annotations("--set", "podDisruptionBudget.enabled=false")
    assert annotations() == annotations("--set", "config.routes.staff.mode=observe")
    assert set(annotations()) >= {"checksum/settings", "kubectl.kubernetes.io/default-container"}


def test_hooks_of_the_operator_are_there() -> None:
    """Everything that the file with most of them gives is in the pods."""
    objects = template(KAFKA.with_name("several-tenants-values.yaml"))
    state = only(objects, "StatefulSet")
    pod = pod_spec(state)
    assert state["metadata"]["annotations"]["example.com/contact"] == "mobile@example.com"
    template_metadata = state["spec"]["template"]["metadata"]
    assert template_metadata["annotations"]["example.com/trace"] == "true"
    assert template_metadata["labels"]["example.com/zone"] == "internal"
    assert {one["name"] for one in containers(state)} == {"wait", "connector", "proxy"}
    for member in ("nodeSelector", "tolerations", "affinity", "hostAliases", "dnsConfig"):
        assert pod[member], member
    assert pod["priorityClassName"] == "important"
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["schedulerName"] == "bin-packing"
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert volumes["more"]["configMap"]["name"] == "mail-keys-more"
    assert volumes["secret-audit"]["secret"]["secretName"] == "mail-keys-audit"
    assert [one["metadata"]["name"] for one in of_kind(objects, "ConfigMap")][-1].endswith("-more")
    assert "PKI_CONNECTOR_WORKER__TIDY_EVERY" in json.dumps(pod)
    assert "registry.example.com/pki-connector@sha256:" in json.dumps(pod)


def test_the_demo_needs_nothing_from_outside() -> None:
    """Its secrets are made in the pod, and its CA and UEM run beside the connector."""
    objects = template(SQLITE.with_name("demo-values.yaml"))
    pod = pod_spec(only(objects, "StatefulSet"))
    assert not any({"secret", "persistentVolumeClaim"} & set(one) for one in pod["volumes"])
    assert [(one["name"], one.get("restartPolicy")) for one in pod["initContainers"]] == [
        ("demo-secrets", None),
        ("demo-ca", "Always"),
        ("demo-uem", "Always"),
    ]
    assert "127.0.0.1:41011" in settings_text(objects)
