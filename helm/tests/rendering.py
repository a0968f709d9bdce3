"""Renders the chart without a cluster, as the shapes in which people run it."""

import functools
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CHART = HERE.parent / "commonweal"
TOOLS = ROOT / ".tools"
sys.path.insert(0, str(TOOLS))

import helm_python as helm  # noqa: E402
import jsonschema  # noqa: E402
from ruamel.yaml import YAML  # noqa: E402

KUBERNETES = ("1.30", "1.34", "1.37")
SCHEMAS = TOOLS / "kubernetes_validate" / "kubernetes-json-schema"

PARTNER = {
    "nodeName": "Hartford Public Schools",
    "image": {"repository": "images.example.org/commonweal"},
    "secrets": {"keys": "hartford-keys", "connections": "hartford-connections"},
}
BACKBONE = PARTNER | {
    "nodeName": "Connecticut backbone",
    "hub": {"enabled": True, "publicAddress": "tls://hub.example.org:7421", "tlsSecret": "hub-tls"},
    "ingress": {"enabled": True, "host": "api.example.org", "tlsSecret": "api-tls"},
    "overrides": {"measurement": {"replicas": 3}},
    "imagePullSecrets": ["pull"],
}
# Everything that can be left out or turned round.
OTHER = PARTNER | {
    "broker": {"enabled": False},
    "listen": {"tlsSecret": "node-tls"},
    "networkPolicy": {"callers": [{"namespaceSelector": {}}], "egress": [{"ports": [{"port": 4317}]}]},
    "config": {"auth": {"issuer": "https://login.example.org", "jwks_url": "https://login.example.org/keys"}},
    "podAnnotations": {"prometheus.io/scrape": "true"},
    "defaults": {"tolerations": [{"operator": "Exists"}], "nodeSelector": {"disk": "fast"}},
    "serviceAccount": {"annotations": {"team": "data"}},
}
SHAPES = {"partner": PARTNER, "backbone": BACKBONE, "other": OTHER}


def render(values):
    """All that a release makes, by kind and name. What the values do not allow is a ValueError with helm's words."""
    chart = helm.Chart.load(str(CHART))
    try:
        files = chart.render(values, name="node", namespace="here")
    except helm.HelmError as error:
        raise ValueError(str(error)) from error
    made = {}
    for name, text in files.items():
        if not name.endswith(".yaml"):
            continue
        for document in YAML(typ="safe", pure=True).load_all(text):
            if document:
                key = f"{document['kind']}/{document['metadata']['name']}"
                assert key not in made, f"{key} is made twice"
                made[key] = document
    return made


@functools.cache
def shape(name):
    """What a shape makes; rendered once."""
    return render(SHAPES[name])


def notes(values):
    """What a person reads after an installation."""
    files = helm.Chart.load(str(CHART)).render(values, name="node", namespace="here")
    return next(text for name, text in files.items() if name.endswith("NOTES.txt"))


def pods(made):
    """(owner, pod template's spec) of everything that runs."""
    for key, document in made.items():
        template = document.get("spec", {}).get("template")
        if template:
            yield key, template["spec"]


def containers(made):
    """(owner/container, container) of everything that runs, what runs at the start too."""
    for key, spec in pods(made):
        for container in spec["containers"] + spec.get("initContainers", []):
            yield f"{key}/{container['name']}", container


@functools.cache
def _validator(version, kind, api_version):
    folder = sorted(SCHEMAS.glob(f"v{version}.*-local-strict"))[-1]
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    schema = json.loads((folder / f"{kind.lower()}-{group}.json").read_text())
    definitions = json.loads((folder / "_definitions.json").read_text())
    store = {"_definitions.json": definitions, definitions.get("$id", "_definitions.json"): definitions}
    resolver = jsonschema.RefResolver(schema.get("$id", ""), schema, store=store)
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def wrongs(document, version):
    """What a version of Kubernetes would not know or refuse in a document."""
    errors = _validator(version, document["kind"], document["apiVersion"]).iter_errors(document)
    return [f"{'.'.join(str(part) for part in error.absolute_path)}: {error.message}" for error in errors]
