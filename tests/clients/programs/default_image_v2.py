"""Functions in the SDK's default image, which it has for Python 3.8 and 3.10."""

import sys
from pathlib import Path

from sagemaker.remote_function import remote

SETTINGS = {"instance_type": "ml.m5.large", "role": "arn:aws:iam::123456789012:role/SageMakerExecutionRole"}
Path("environment.yml").write_text("name: x\ndependencies:\n  - python=3.10\n  - pip:\n      - sagemaker<3\n")


@remote(**SETTINGS)
def divide(x, y):
    return list(sys.version_info[:2]), x / y


@remote(dependencies="./environment.yml", **SETTINGS)
def where():
    return sys.prefix


if __name__ == "__main__":
    print(*divide(3, 2), where())
