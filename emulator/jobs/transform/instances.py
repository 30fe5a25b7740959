"""The instances of a transform job, on each of which every container of the model is a server."""

from __future__ import annotations

import hashlib
from typing import Any

from emulator.jobs.hosts import Group, Host
from emulator.store.resources import Resource

CONTAINERS = "Containers"
"""Member of a job's body: the containers of its model as they were when the job was created."""


def hosts(job: Resource) -> tuple[Host, ...]:
    """One host for each container of each instance: ``algo-1``, or ``algo-1.<container>`` where there are several."""
    containers = job.body[CONTAINERS]
    labels = [f".{_label(number, container)}" for number, container in enumerate(containers, 1)]
    if len(containers) == 1:
        labels = [""]
    resources = job.body["TransformResources"]
    machines = range(1, resources["InstanceCount"] + 1)
    names = tuple(f"algo-{machine}{label}" for machine in machines for label in labels)
    group = Group(instance_type=resources["InstanceType"], hosts=names)
    return tuple(Host(name, index, names, group, (group,)) for index, name in enumerate(names))


def instance_id(job: Resource, host: Host) -> str:
    """What Amazon EC2 would call a host's instance; log streams and metrics of transform jobs go by it."""
    number = host.index // len(job.body[CONTAINERS])
    return f"i-{hashlib.sha256(f'{job.arn} {job.id} {number}'.encode()).hexdigest()[:17]}"


def container_of(job: Resource, host: Host) -> dict[str, Any]:
    containers = job.body[CONTAINERS]
    found: dict[str, Any] = containers[host.index % len(containers)]
    return found


def first_containers(job: Resource, host: Host) -> tuple[str, ...]:
    """Of every instance, the host to which records are sent."""
    return host.names[:: len(job.body[CONTAINERS])]


def on_same_instance(job: Resource, host: Host) -> tuple[str, ...]:
    """The hosts of one instance, in the order of the containers."""
    count = len(job.body[CONTAINERS])
    start = host.index - host.index % count
    return host.names[start : start + count]


def _label(number: int, container: dict[str, Any]) -> str:
    return str(container.get("ContainerHostname") or f"container-{number}")
