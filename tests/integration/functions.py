"""Small Lambda functions for tests."""

from __future__ import annotations

import io
import uuid
import zipfile
from typing import Any

ROLE = "arn:aws:iam::123456789012:role/LambdaRole"


def zipped(source: str, name: str = "app.py") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, source)
    return data.getvalue()


def function(client: Any, source: str, **options: Any) -> str:
    """Create a function of this source; its ARN."""
    arn: str = client.create_function(
        FunctionName=f"f-{uuid.uuid4().hex[:8]}",
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped(source)},
        **options,
    )["FunctionArn"]
    return arn
