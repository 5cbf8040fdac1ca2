"""Holds manifest.yml to Slack's published schema, whose path is the one argument."""

import json
import sys
from pathlib import Path

import jsonschema
import yaml

schema = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
manifest = yaml.safe_load(Path("manifest.yml").read_text(encoding="utf-8"))
validator = jsonschema.validators.validator_for(schema)(schema)
faults = sorted(validator.iter_errors(manifest), key=lambda fault: list(fault.absolute_path))
for fault in faults:
    print(f"manifest.yml: {'/'.join(map(str, fault.absolute_path))}: {fault.message}")  # noqa: T201 - what CI prints
sys.exit(bool(faults))
