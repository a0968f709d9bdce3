"""Nothing that runs may do more than it must, in every shape of the chart."""

import json
import unittest

from rendering import SHAPES, containers, pods, shape


class Security(unittest.TestCase):
    def each(self, what, check):
        for name in SHAPES:
            for key, one in what(shape(name)):
                with self.subTest(f"{name} {key}"):
                    check(one)

    def test_no_container_can_gain_anything(self):
        def check(container):
            security = container["securityContext"]
            self.assertIs(security["allowPrivilegeEscalation"], False)
            self.assertIs(security["privileged"], False)
            self.assertIs(security["readOnlyRootFilesystem"], True)
            self.assertIs(security["runAsNonRoot"], True)
            self.assertEqual(security["capabilities"], {"drop": ["ALL"]})

        self.each(containers, check)

    def test_no_pod_runs_as_root_or_outside_the_default_profile(self):
        def check(spec):
            security = spec["securityContext"]
            self.assertIs(security["runAsNonRoot"], True)
            self.assertGreater(security["runAsUser"], 0)
            self.assertGreater(security["runAsGroup"], 0)
            self.assertEqual(security["seccompProfile"], {"type": "RuntimeDefault"})
            for shared in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
                self.assertFalse(spec.get(shared))

        self.each(pods, check)

    def test_no_pod_gets_a_token_of_the_cluster(self):
        def check(spec):
            self.assertIs(spec["automountServiceAccountToken"], False)

        self.each(pods, check)
        for name in SHAPES:
            self.assertIs(shape(name)["ServiceAccount/node-commonweal"]["automountServiceAccountToken"], False)

    def test_every_container_has_its_share_and_its_end(self):
        def check(container):
            for bound in ("requests", "limits"):
                self.assertEqual(set(container["resources"][bound]), {"cpu", "memory"})

        self.each(containers, check)

    def test_what_serves_is_watched(self):
        def check(spec):
            for container in spec["containers"]:
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    self.assertIn(probe, container)

        self.each(lambda made: ((key, one) for key, one in pods(made) if not key.startswith("Job/")), check)

    def test_nothing_of_the_machine_is_mounted_and_secrets_are_closed_to_others(self):
        def check(spec):
            for volume in spec.get("volumes", []):
                self.assertNotIn("hostPath", volume)
                if "secret" in volume:
                    self.assertEqual(volume["secret"]["defaultMode"], 0o440)

        self.each(pods, check)

    def test_no_secret_is_made_and_none_stands_in_what_is_made(self):
        for name in SHAPES:
            for key, document in shape(name).items():
                self.assertNotEqual(document["kind"], "Secret")
                self.assertNotIn("postgres://", json.dumps(document), key)

    def test_no_image_is_of_the_moment(self):
        def check(container):
            tag = container["image"].rpartition(":")[2]
            self.assertNotIn(tag, ("", "latest"))
            self.assertNotIn("/", tag)

        self.each(containers, check)


if __name__ == "__main__":
    unittest.main()
