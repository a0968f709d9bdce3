"""What the chart makes is what several versions of Kubernetes know, in every shape."""

import unittest

import rendering
from rendering import CHART, KUBERNETES, SHAPES, helm, shape, wrongs


class Kubernetes(unittest.TestCase):
    def test_the_chart_is_without_complaint(self):
        for name, values in SHAPES.items():
            with self.subTest(name):
                report = helm.lint(str(CHART), values, strict=True)
                found = [one["error"] for one in report["messages"] if "icon" not in one["error"]]
                self.assertEqual(found + report["errors"], [])

    def test_every_version_knows_what_is_made(self):
        for version in KUBERNETES:
            for name in SHAPES:
                for key, document in shape(name).items():
                    with self.subTest(f"{version} {name} {key}"):
                        self.assertEqual(wrongs(document, version), [])

    def test_what_a_version_does_not_know_is_seen(self):
        document = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"prots": []}}
        for version in KUBERNETES:
            self.assertTrue(any("prots" in wrong for wrong in wrongs(document, version)), version)
        document["spec"] = {"ports": [{"port": "http"}]}
        for version in KUBERNETES:
            self.assertTrue(any(wrong.startswith("spec.ports.0.port") for wrong in wrongs(document, version)), version)


class Together(unittest.TestCase):
    """What refers to something else by name finds it."""

    def test_every_selector_finds_exactly_its_pods(self):
        for name in SHAPES:
            made = shape(name)
            labels = [document["spec"]["template"]["metadata"]["labels"] for _, document in running(made)]
            for key, document in made.items():
                kind = document["kind"]
                if kind not in ("Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment", "StatefulSet"):
                    continue
                spec = document["spec"]
                wanted = spec.get("podSelector") or spec["selector"]
                wanted = wanted.get("matchLabels", wanted)
                found = [one for one in labels if wanted.items() <= one.items()]
                with self.subTest(f"{name} {key}"):
                    self.assertEqual(len(found), 1)

    def test_every_volume_is_there_and_used(self):
        for name in SHAPES:
            for key, document in running(shape(name)):
                spec = document["spec"]["template"]["spec"]
                claimed = [claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])]
                there = {volume["name"] for volume in spec.get("volumes", [])} | set(claimed)
                containers = spec["containers"] + spec.get("initContainers", [])
                used = {mount["name"] for container in containers for mount in container.get("volumeMounts", [])}
                with self.subTest(f"{name} {key}"):
                    self.assertEqual(there, used)

    def test_every_pod_takes_only_the_connections_it_needs(self):
        for name in SHAPES:
            made = shape(name)
            guarded = [d["spec"]["podSelector"]["matchLabels"] for d in made.values() if d["kind"] == "NetworkPolicy"]
            for key, document in running(made):
                labels = document["spec"]["template"]["metadata"]["labels"]
                with self.subTest(f"{name} {key}"):
                    self.assertEqual(len([one for one in guarded if one.items() <= labels.items()]), 1)

    def test_a_changed_setting_starts_new_pods(self):
        key = "Deployment/node-commonweal-membership"
        mark = lambda made: made[key]["spec"]["template"]["metadata"]["annotations"]["commonweal/config"]
        changed = rendering.PARTNER | {"config": {"limits": {"burst": 7}}}
        self.assertNotEqual(mark(shape("partner")), mark(rendering.render(changed)))


def running(made):
    return [(key, d) for key, d in made.items() if d["kind"] in ("Deployment", "StatefulSet", "Job")]


if __name__ == "__main__":
    unittest.main()
