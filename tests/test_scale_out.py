"""Several gateways on one stream: the compose variant and the Kubernetes manifest, without an engine or a cluster."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway import __version__, config
from tests.servers.process import find_binary

ROOT = Path(__file__).parents[1]
SCALE_OUT = ROOT / "deploy" / "scale-out"
MANIFEST = ROOT / "deploy" / "kubernetes" / "parkgate.yaml"
FILES = ["docker-compose.yml", "deploy/scale-out/docker-compose.yml"]
SECRETS = {"INFLUX_TOKEN": "t", "MQTT_GATEWAY_PASSWORD": "p"}


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((SCALE_OUT / "docker-compose.yml").read_text())
    return read


def kubernetes() -> dict[tuple[str, str], Any]:
    """The objects of the manifest by kind and name."""
    found = [each for each in yaml.safe_load_all(MANIFEST.read_text()) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def container() -> dict[str, Any]:
    (one,) = kubernetes()["StatefulSet", "parkgate"]["spec"]["template"]["spec"]["containers"]
    return dict(one)


def in_a_pod(tmp_path: Path, pod: str) -> config.Config:
    """What a pod of this name reads, with the variables that the manifest gives it and no others."""
    given = {"metadata.name": pod, "influx-token": "t", "mqtt-password": "p"}
    environ = {}
    for variable in container()["env"]:
        (source,) = variable["valueFrom"].values()
        environ[variable["name"]] = given[source.get("fieldPath") or source["key"]]
    file = tmp_path / "gateway.toml"
    file.write_text(kubernetes()["ConfigMap", "parkgate"]["data"]["gateway.toml"])
    return config.load(file, environ)


def filters(file: Path) -> list[str]:
    loaded = config.load(file, {**SECRETS, "GATEWAY_NAME": "gateway-1"})
    return [each.topic for broker in loaded.mqtt for each in broker.subscriptions]


@pytest.mark.services("docker-compose")
def test_compose_takes_the_variant_on_top_of_the_testbed() -> None:
    binary = find_binary("docker-compose") or "docker-compose"
    named = [part for file in FILES for part in ("--file", str(ROOT / file))]
    argv = [binary, *named, "--env-file", str(ROOT / ".env.example"), "config"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    seen = yaml.safe_load(done.stdout)["services"]
    assert {"gateway", "gateway-1", "gateway-2", "grafana", "influxdb", "mosquitto", "simulators"} <= set(seen)
    for name, file in (("gateway", "ports.toml"), ("gateway-1", "shared.toml"), ("gateway-2", "shared.toml")):
        assert seen[name]["image"] == "parkgate:local"
        (mounted,) = [each for each in seen[name]["volumes"] if each.endswith(":/etc/parkgate/gateway.toml:ro")]
        assert mounted.split(":")[0] == str(SCALE_OUT / file)


def test_members_differ_in_name_and_volume_and_in_nothing_else() -> None:
    first, second = (dict(compose()["services"][name]) for name in ("gateway-1", "gateway-2"))
    environments = [each.pop("environment") for each in (first, second)]
    volumes = [each.pop("volumes") for each in (first, second)]
    assert first == second
    assert [each.pop("GATEWAY_NAME") for each in environments] == ["gateway-1", "gateway-2"]
    assert environments[0] == environments[1]
    mounts = ["./deploy/scale-out/shared.toml:/etc/parkgate/gateway.toml:ro"]
    assert volumes == [
        [*mounts, "gateway-1-state:/var/lib/parkgate"],
        [*mounts, "gateway-2-state:/var/lib/parkgate"],
    ]
    assert set(compose()["volumes"]) == {"gateway-1-state", "gateway-2-state"}


def test_members_share_what_one_gateway_takes_alone_and_the_ports_stay_behind() -> None:
    alone = config.load(ROOT / "deploy" / "gateway.toml", SECRETS)
    ports = config.load(SCALE_OUT / "ports.toml", SECRETS)
    assert ports.serial == alone.serial
    assert len(ports.serial) == 4
    assert ports.mqtt == ()
    shared = filters(SCALE_OUT / "shared.toml")
    assert shared == [f"$share/parkgate/{topic}" for topic in filters(ROOT / "deploy" / "gateway.toml")]
    assert len(shared) == 12


def test_a_member_is_known_to_the_broker_by_its_name() -> None:
    for name in ("gateway-1", "gateway-2"):
        loaded = config.load(SCALE_OUT / "shared.toml", {**SECRETS, "GATEWAY_NAME": name})
        assert loaded.gateway.name == name
        assert [broker.client_id for broker in loaded.mqtt] == [name]
        assert str(loaded.gateway.state_dir) == "/var/lib/parkgate"


def test_the_manifest_has_what_belongs_together() -> None:
    assert set(kubernetes()) == {
        ("ConfigMap", "parkgate"),
        ("Service", "parkgate"),
        ("Service", "parkgate-map"),
        ("PodDisruptionBudget", "parkgate"),
        ("StatefulSet", "parkgate"),
    }
    labels = {"app.kubernetes.io/name": "parkgate"}
    spec = kubernetes()["StatefulSet", "parkgate"]["spec"]
    assert spec["template"]["metadata"]["labels"] == labels
    assert spec["selector"]["matchLabels"] == labels
    assert kubernetes()["PodDisruptionBudget", "parkgate"]["spec"]["selector"]["matchLabels"] == labels
    for name in ("parkgate", "parkgate-map"):
        assert kubernetes()["Service", name]["spec"]["selector"] == labels
    assert spec["serviceName"] == "parkgate"
    assert spec["replicas"] == 3


def test_each_pod_is_a_client_of_its_own_and_reads_a_good_configuration(tmp_path: Path) -> None:
    loaded = [in_a_pod(tmp_path, f"parkgate-{number}") for number in range(3)]
    assert [each.mqtt[0].client_id for each in loaded] == ["parkgate-0", "parkgate-1", "parkgate-2"]
    assert [each.gateway.name for each in loaded] == ["parkgate-0", "parkgate-1", "parkgate-2"]
    for each in loaded:
        assert each.influxdb is not None
        assert each.influxdb.token == "t"
        assert each.mqtt[0].password == "p"
        assert each.mqtt[0].session_expiry_s == 604800
        assert {item.device for item in each.mqtt[0].subscriptions} == {"senml", "ttn-v3", "vda5050"}
        assert all(item.topic.startswith("$share/parkgate/") for item in each.mqtt[0].subscriptions)


def test_a_pod_mounts_what_its_configuration_names(tmp_path: Path) -> None:
    loaded = in_a_pod(tmp_path, "parkgate-0")
    mounts = {each["mountPath"]: each["name"] for each in container()["volumeMounts"]}
    assert mounts == {"/etc/parkgate": "config", "/var/lib/parkgate": "state", "/tmp": "tmp"}
    spec = kubernetes()["StatefulSet", "parkgate"]["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    volumes = {each["name"]: each for each in spec["template"]["spec"]["volumes"]}
    assert claim["metadata"]["name"] == "state"
    assert set(volumes) == {"config", "tmp"}
    assert volumes["config"]["configMap"]["name"] == "parkgate"
    assert container()["args"] == ["run", "--config", "/etc/parkgate/gateway.toml"]
    assert str(loaded.gateway.state_dir) == "/var/lib/parkgate"
    assert claim["spec"]["resources"]["requests"]["storage"] == "10Gi"
    assert loaded.spool.max_bytes + loaded.spool.quarantine_bytes < 10 * 1024**3
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}


def test_a_gateway_that_takes_nothing_is_not_ready_and_not_killed(tmp_path: Path) -> None:
    one = container()
    assert {probe: one[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "startupProbe": {"path": "/livez", "port": "http"},
        "livenessProbe": {"path": "/livez", "port": "http"},
        "readinessProbe": {"path": "/readyz", "port": "http"},
    }
    assert one["ports"] == [{"name": "http", "containerPort": 8080}]
    assert in_a_pod(tmp_path, "parkgate-0").gateway.listen == "0.0.0.0:8080"


def test_a_pod_runs_as_the_user_of_the_image_and_may_do_no_more() -> None:
    spec = kubernetes()["StatefulSet", "parkgate"]["spec"]["template"]["spec"]
    assert re.search(r"useradd .*--uid 10001 ", (ROOT / "Dockerfile").read_text())
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["fsGroup"] == 10001
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container()["image"] == f"registry.example/parkgate:{__version__}"


def test_the_addresses_of_victoriametrics_are_taken(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "scaling.md").read_text()
    for url in ("http://vminsert:8480/insert/0/influx", "http://victoriametrics:8428/influx"):
        assert url in text
        file = tmp_path / "gateway.toml"
        file.write_text(f'[influxdb]\nurl = "{url}"\ndatabase = "parkgate"\n')
        loaded = config.load(file, {})
        assert loaded.influxdb is not None
        assert loaded.influxdb.url == url
