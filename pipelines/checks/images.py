"""PL6xx: instance types, images and what is installed in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pipelines.checks.facts import instance_types
from pipelines.checks.registry import Problem, check
from pipelines.checks.subject import Subject, nodes, parameter_of
from pipelines.errors import suggest
from pipelines.images import ECR_IMAGE

REQUIREMENT = re.compile(r"^\s*(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^]]*\])?\s*(?P<rest>[^#;]*)")
TYPES = ("Processing", "Training", "Transform")


@check("PL601", "unknown instance type")
def unknown_instance_type(subject: Subject) -> Iterator[Problem]:
    """Jobs of this kind do not run on it: the API refuses the request when the step begins. Defaults and enum values
    of parameters are looked at, too."""
    for step, arguments in subject.of_type(*TYPES):
        known = instance_types(subject.steps[step]["Type"])
        for path, value in nodes(arguments, "Arguments"):
            if known is None or not path.endswith(".InstanceType"):
                continue
            for wanted in _possible(subject, value):
                if wanted not in known:
                    hint = suggest(wanted, known).partition(" Known:")[0]
                    yield Problem(f"there is no instance type {wanted!r} for it{hint}", "choose another", step, path)


@check("PL602", "image without container definition")
def undefined_image(subject: Subject) -> Iterator[Problem]:
    """An image of the environment's own account has a folder in containers/, or nobody can tell what is in it."""
    for step, field, image in _images(subject):
        name = image["name"]
        if (
            image["account"] == subject.environment.account
            and not (_containers(subject, name) / "Dockerfile").is_file()
        ):
            known = [path.parent.name for path in (subject.root / "containers").glob("*/Dockerfile")]
            message = f"containers/{name}/Dockerfile is not there{suggest(name, known)}"
            yield Problem(message, "add it, or use environment.image(NAME)", step, field)


@check("PL603", "image without a fixed tag", "warning")
def floating_image(subject: Subject) -> Iterator[Problem]:
    """Another image may run tomorrow than the one that was tested. environment.image() tags by content."""
    for step, field, image in _images(subject):
        own = image["account"] == subject.environment.account
        if own and not image["digest"] and image["tag"] in (None, "latest"):
            message = f"image {image[0].partition('/')[2]} may change behind the definition"
            yield Problem(message, "use environment.image(NAME), or a tag or digest", step, field)


@check("PL604", "unpinned requirement", "warning", on_sources=True)
def unpinned_requirement(subject: Subject) -> Iterator[Problem]:
    """The same definition installs something else tomorrow. Pin with `==`; for images, let pip-compile do it."""
    folders = {(subject.root / module.path).parent for module in subject.modules}
    files = [path for folder in sorted(folders) for path in sorted(folder.rglob("requirements*.txt"))]
    files += [_containers(subject, name) / "requirements.txt" for name in _own_images(subject)]
    for path in files:
        lines = path.read_text().splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            match = REQUIREMENT.match(line)
            if match and not match["rest"].strip().startswith(("==", "@")):
                where = f"{path.relative_to(subject.root).as_posix()}:{number}"
                yield Problem(f"{line.strip()!r} is not pinned", f"write {match['name']}==VERSION", where=where)


@check("PL605", "network isolation with pip at run time")
def isolated_pip(subject: Subject) -> Iterator[Problem]:
    """The job installs requirements when it starts, and network isolation leaves it no way to them. Install them in
    the image."""
    for step, arguments in subject.of_type("Training", "Processing"):
        isolated = arguments.get("EnableNetworkIsolation") or (arguments.get("NetworkConfig") or {}).get(
            "EnableNetworkIsolation"
        )
        if isolated is not True:
            continue
        for key in _assets_of(subject, arguments):
            if _installs(subject, key):
                message = f"{key.rpartition('/')[2]} asks for requirements, and the job has no network"
                yield Problem(message, "install them in the image", step, "Arguments.EnableNetworkIsolation")


@check("PL606", "image in another region", "warning")
def far_image(subject: Subject) -> Iterator[Problem]:
    """SageMaker pulls images from the region of the job only."""
    for step, field, image in _images(subject):
        if image["region"] != subject.environment.region:
            message = f"the image is in {image['region']}, the environment in {subject.environment.region}"
            yield Problem(message, "use the image of the environment's region", step, field)


@check("PL607", "base image without a tag", "warning")
def floating_base(subject: Subject) -> Iterator[Problem]:
    """`FROM name` is `FROM name:latest`: each build of the image may have another base."""
    for name in _own_images(subject):
        path = _containers(subject, name) / "Dockerfile"
        for number, line in enumerate(path.read_text().splitlines() if path.is_file() else [], 1):
            words = line.split()
            if len(words) > 1 and words[0].upper() == "FROM":
                tag = words[1].rpartition("/")[2]
                if (":" not in tag and "@" not in tag) or tag.endswith(":latest"):
                    where = f"containers/{name}/Dockerfile:{number}"
                    yield Problem(f"the base {words[1]} has no fixed tag", "name a version", where=where)


def _possible(subject: Subject, value: object) -> list[str]:
    """Values that an instance type can have as far as the definition says."""
    name = parameter_of(value)
    if name is None:
        return [value] if isinstance(value, str) else []
    parameters = [parameter for parameter in subject.parameters if parameter.name == name]
    return [str(item) for each in parameters for item in (*each.choices, each.default) if item is not None]


def _images(subject: Subject) -> Iterator[tuple[str, str, re.Match[str]]]:
    """Step, field and parts of every literal image of an ECR repository."""
    for step, arguments in subject.of_type(*TYPES, "Tuning", "Model", "RegisterModel"):
        for path, value in nodes(arguments, "Arguments"):
            if (
                isinstance(value, str)
                and path.endswith(("Image", "ImageUri"))
                and (match := ECR_IMAGE.fullmatch(value))
            ):
                yield step, path, match


def _own_images(subject: Subject) -> list[str]:
    own = (image for _, _, image in _images(subject) if image["account"] == subject.environment.account)
    return sorted({image["name"] for image in own})


def _containers(subject: Subject, name: str) -> Path:
    return subject.root / "containers" / name


def _assets_of(subject: Subject, arguments: dict[str, object]) -> list[str]:
    texts = [value for _, value in nodes(arguments) if isinstance(value, str) and value.startswith("s3://")]
    keys = [asset["key"] for asset in subject.manifest.get("assets") or ()]
    return [key for key in keys if any(text.endswith(key) or f"/{key}".startswith(_prefix(text)) for text in texts)]


def _prefix(uri: str) -> str:
    """``/key/`` of an S3 URI taken as a folder."""
    return "/" + uri.removeprefix("s3://").partition("/")[2].rstrip("/") + "/"


def _installs(subject: Subject, key: str) -> bool:
    """Whether an uploaded file makes the job install requirements."""
    if key.endswith("/requirements.txt"):
        return True
    return key.endswith("/sourcecode.json") and bool(json.loads(subject.asset_text(key)).get("requirements"))
