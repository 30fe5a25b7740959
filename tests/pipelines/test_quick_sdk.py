"""In a process of its own, since it changes libraries for the rest of one."""

import subprocess
import sys

SCHEMAS = """
import jsonschema
from pipelines.quick_sdk import do_once

do_once()
wrong, sound = {"type": "objekt"}, {"type": "object"}
for instance, schema in (({}, wrong), ({}, wrong), ({}, sound), ([], sound), ({}, dict(sound))):
    try:
        jsonschema.validate(instance, schema)
        print("fits")
    except jsonschema.SchemaError:
        print("wrong schema")
    except jsonschema.ValidationError:
        print("does not fit")
"""
MODELS = """
import json
from pipelines.quick_sdk import do_once

do_once()
import botocore.session
first = botocore.session.Session().get_component("data_loader").load_service_model("sts", "service-2")
second = botocore.session.Session().get_component("data_loader").load_service_model("sts", "service-2")
print(first["shapes"] is second["shapes"], sorted(first) == sorted(second), first["metadata"]["serviceId"])
clients = [botocore.session.Session().create_client("sts", region_name="us-east-1") for _ in range(2)]
print([client.meta.service_model.service_name for client in clients])
"""


def run(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()


def test_a_wrong_schema_stays_wrong_and_a_sound_one_still_decides() -> None:
    assert run(SCHEMAS) == ["wrong schema", "wrong schema", "fits", "does not fit", "fits"]


def test_a_service_model_is_read_once_for_all_sessions() -> None:
    assert run(MODELS) == ["True True STS", "['sts', 'sts']"]
