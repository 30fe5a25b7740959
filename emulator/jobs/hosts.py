"""The hosts of a job: their names, the instance groups they belong to, and what each is told of the others.

Hosts are named ``algo-1``, ``algo-2`` and so on, through all groups in the order of the request (SageMaker Developer
Guide, "Distributed training configuration" and "Train using a heterogeneous cluster").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.store.resources import Resource

HOMOGENEOUS = "homogeneousCluster"
"""The name of the only group where the request names none."""
INTERFACE = "eth0"


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts of one instance type."""

    name: str = HOMOGENEOUS
    instance_type: str | None = None
    hosts: tuple[str, ...] = ("algo-1",)


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the job's cluster, as the container sees it."""

    name: str = "algo-1"
    index: int = 0
    names: tuple[str, ...] = ("algo-1",)
    """Of all hosts, this one among them."""
    group: Group = Group()
    groups: tuple[Group, ...] = (Group(),)

    def of(self, groups: Collection[str]) -> tuple[str, ...]:
        """The hosts of the groups of these names; of all groups where there are no names."""
        return tuple(name for group in self.groups if not groups or group.name in groups for name in group.hosts)


def cluster(resources: Mapping[str, Any]) -> tuple[Host, ...]:
    """The hosts of a ``ResourceConfig``, or of the ``ClusterConfig`` of a Processing job."""
    groups = tuple(_groups(resources))
    names = tuple(name for group in groups for name in group.hosts)
    members = ((name, group) for group in groups for name in group.hosts)
    return tuple(Host(name, index, names, group, groups) for index, (name, group) in enumerate(members))


def _groups(resources: Mapping[str, Any]) -> Iterable[Group]:
    first = 1
    for group in resources.get("InstanceGroups") or [resources]:
        count = group.get("SelectedInstanceCount", group.get("InstanceCount", 1))
        instance_type = group.get("SelectedInstanceType", group.get("InstanceType"))
        names = tuple(f"algo-{number}" for number in range(first, first + count))
        first += count
        if names:
            yield Group(group.get("InstanceGroupName", HOMOGENEOUS), instance_type, names)


def resource_config(host: Host) -> dict[str, Any]:
    """``resourceconfig.json`` of one host; names are in the order of the alphabet, ``algo-10`` before ``algo-2``."""
    return {
        "current_host": host.name,
        "current_instance_type": host.group.instance_type,
        "current_group_name": host.group.name,
        "hosts": sorted(host.names),
        "instance_groups": [
            {"instance_group_name": group.name, "instance_type": group.instance_type, "hosts": sorted(group.hosts)}
            for group in host.groups
        ],
        "network_interface_name": INTERFACE,
    }


def log_stream(job: Resource, instance: str, container: str = "") -> str:
    """The name of the log stream of an instance, or of one of its containers where it has several.

    As the Developer Guide has it in "CloudWatch Logs for Amazon SageMaker AI".
    """
    return "/".join(filter(None, [job.name, f"{instance}-{int(job.created)}", container]))
