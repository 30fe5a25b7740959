"""Calls operations of the model registry on real stores, without the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from emulator.services.context import App
from emulator.services.sagemaker import model_package_groups, model_packages, tags
from emulator.settings import Settings
from emulator.store.resources import Scope
from tests.emulator.services.sagemaker.direct_calls import DirectCalls

MODULES = (model_package_groups, model_packages, tags)
SCOPE = Scope("123456789012", "eu-west-1")
MODEL = "s3://models/run-1/model.tar.gz"


class Registry(DirectCalls):
    scope = SCOPE

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.objects.create_bucket(SCOPE, "models")
        self.objects.put_bytes("models", "run-1/model.tar.gz", b"model")
        unused = cast(Any, None)
        settings = Settings.load({}, data_dir=root)
        self.app = App(settings, self.resources, self.objects, unused, unused, unused, unused)


def specification(**container: Any) -> dict[str, Any]:
    """An InferenceSpecification of one container."""
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/xgboost:1"
    return {
        "Containers": [{"Image": image, "ModelDataUrl": MODEL} | container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
