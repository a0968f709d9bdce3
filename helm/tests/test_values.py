"""What the values may say: everything has its words, and what is wrong is refused with its place."""

import copy
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import rendering
from rendering import CHART, PARTNER, ROOT, notes, render, shape


def with_value(path, value):
    values = copy.deepcopy(PARTNER)
    place = values
    *folders, last = path.split(".")
    for folder in folders:
        place = place.setdefault(folder, {})
    place[last] = value
    return values


class Values(unittest.TestCase):
    def test_a_wrong_type_is_refused_with_its_place(self):
        for path, value in [
            ("defaults.replicas", "two"),
            ("overrides.measurement.replicas", "two"),
            ("hub.enabled", "yes"),
            ("listen.port", 70000),
            ("hub.service.type", "External"),
            ("services", "membership"),
            ("config.limits", 5),
            ("broker.storage.size", 2),
            ("networkPolicy.databasePorts", 5432),
            ("nodeName", 7),
            ("hub.publicAddress", "hub.example.org"),
        ]:
            with self.subTest(path), self.assertRaises(ValueError) as refused:
                render(with_value(path, value))
            self.assertIn("/" + path.replace(".", "/"), str(refused.exception))

    def test_a_misspelt_value_is_refused(self):
        for path in ["replicas", "hub.enable", "defaults.resource", "secrets.database", "listen.tls"]:
            with self.subTest(path), self.assertRaises(ValueError) as refused:
                render(with_value(path, "x"))
            self.assertIn(path.rpartition(".")[2], str(refused.exception))

    def test_what_is_missing_is_asked_for(self):
        for path in ["nodeName", "image.repository", "secrets.keys", "secrets.connections"]:
            with self.subTest(path), self.assertRaises(ValueError) as refused:
                render(with_value(path, ""))
            self.assertIn(f"{path} must be given", str(refused.exception))
        for path in ["hub", "ingress"]:
            with self.subTest(path), self.assertRaises(ValueError) as refused:
                render(with_value(path, {"enabled": True}))
            self.assertIn(f"must be given with {path}.enabled", str(refused.exception))

    def test_every_value_has_its_words(self):
        lines = (CHART / "values.yaml").read_text().splitlines()
        for above, line in zip(lines, lines[1:]):
            if re.match(r"\s*[A-Za-z]+:", line) and not line.strip().startswith(("requests: {", "limits: {", "requests:", "limits:")):
                self.assertTrue(above.strip().startswith("#"), f"no words above: {line}")

    def test_the_schema_knows_every_value(self):
        schema = rendering.helm.Chart.load(str(CHART)).schema
        values = rendering.helm.Chart.load(str(CHART)).values
        self.assertEqual(set(values) - set(schema["properties"]), set())

    def test_every_service_of_the_contract_runs(self):
        contract = {file.parent.parent.name for file in (ROOT / "proto" / "commonweal").glob("*/v1/*_service.proto")}
        self.assertEqual(set(rendering.helm.Chart.load(str(CHART)).values["services"]), contract)
        for service in contract:
            self.assertIn(f"Deployment/node-commonweal-{service}", shape("partner"))

    def test_a_new_room_is_one_line(self):
        added = render(PARTNER | {"services": ["membership", "federation", "weather"]})
        for kind in ("Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"):
            self.assertIn(f"{kind}/node-commonweal-weather", added)
        self.assertIn("weather=http://node-commonweal-weather:7420", config(added))

    def test_the_way_in_is_the_path_of_each_service_of_the_contract(self):
        paths = shape("backbone")["Ingress/node-commonweal"]["spec"]["rules"][0]["http"]["paths"]
        for path in paths:
            _, service, name = path["path"].removeprefix("/commonweal").split(".")[0:3]
            self.assertIn(service, path["backend"]["service"]["name"])
            contract = ROOT / "proto" / "commonweal" / service / "v1" / f"{service}_service.proto"
            self.assertIn(f"service {path['path'].rpartition('.')[2]} ", contract.read_text())

    def test_only_a_backbone_has_a_hub(self):
        self.assertIn("StatefulSet/node-commonweal-hub", shape("backbone"))
        self.assertNotIn("StatefulSet/node-commonweal-hub", shape("partner"))
        self.assertIn('server = "tls://node-commonweal-hub:7421"', config(shape("backbone")))

    def test_federation_runs_once_whatever_is_asked_for(self):
        made = render(PARTNER | {"defaults": {"replicas": 4}})
        self.assertEqual(made["Deployment/node-commonweal-federation"]["spec"]["replicas"], 1)
        self.assertEqual(made["Deployment/node-commonweal-membership"]["spec"]["replicas"], 4)

    def test_the_notes_tell_the_next_step(self):
        self.assertIn("commonweal join", notes(PARTNER))
        self.assertIn("commonweal invite", notes(rendering.BACKBONE))


class Program(unittest.TestCase):
    """The program itself takes the configuration that the chart makes."""

    def test_every_configuration_can_be_read(self):
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        program = target / "debug" / "commonweal"
        if not program.exists():
            self.skipTest(f"{program} is not built")
        for name in rendering.SHAPES:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                text = config(shape(name)).replace("/run/secrets/commonweal", folder)
                for secret in ("database-url", "broker-url"):
                    pathlib.Path(folder, secret).write_text("postgres://nobody@127.0.0.1:1/nothing")
                file = pathlib.Path(folder, "commonweal.toml")
                file.write_text(text)
                said = subprocess.run([program, "--config", file, "health"], capture_output=True, text=True)
                # 3: the configuration is good, and nothing answers; 2 would say what is wrong with it.
                self.assertEqual(said.returncode, 3, said.stderr)


def config(made):
    return made["ConfigMap/node-commonweal"]["data"]["commonweal.toml"]


if __name__ == "__main__":
    unittest.main()
