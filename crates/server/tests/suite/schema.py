"""Holds YAML files against a JSON Schema: exit status 1, and a line for each fault, if one does not fit.

Usage: schema.py SCHEMA FILE...; a README counts by its examples. YAML is read as editors read it, by the core schema of YAML 1.2:
no dates, no minutes, no `yes`.
"""

import json
import re
import sys

import jsonschema
import yaml


class Core(yaml.SafeLoader):
    yaml_implicit_resolvers = {}


NULL, BOOL, INT = ("tag:yaml.org,2002:" + kind for kind in ("null", "bool", "int"))
FLOAT = "tag:yaml.org,2002:float"
Core.add_implicit_resolver(NULL, re.compile(r"^(~|null|Null|NULL|)$"), ["~", "n", "N", ""])
Core.add_implicit_resolver(BOOL, re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
Core.add_implicit_resolver(INT, re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
Core.add_implicit_resolver(FLOAT, re.compile(r"^[-+]?[0-9]*\.[0-9]+$"), list("-+.0123456789"))


def as_json(value):
    """With texts for keys, as JSON has them."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, list) else value


def texts(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".md"):
        return [text]
    return [example.split("```")[0] for example in text.split("```yaml\n")[1:]]


with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
faults = [
    f"{path}: {error.message[:200]}"
    for path in sys.argv[2:]
    for text in texts(path)
    for error in validator.iter_errors(as_json(yaml.load(text, Core)))
]
print("\n".join(faults))
sys.exit(bool(faults))
