"""Training one model over all hosts of a job that have data, by XGBoost's own collective communication.

As AWS's image does it: the hosts first tell each other which of them have data, then those train; the first of them,
the master, prints the metrics and saves the model.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from xgboost import collective
from xgboost.tracker import RabitTracker

from ..errors import UserError

_PORT = 9099
_READY_OFFSET = 100
"""From a tracker's port to the one that says that it listens: a tracker takes whoever connects for a worker."""
_START_SECONDS = 0.2
_JOIN_SECONDS = 900.0
_RETRY_SECONDS = 0.05


@dataclass(frozen=True)
class Cluster:
    """The hosts that train together, in the order of their names."""

    hosts: list[str]
    current: str

    @property
    def is_master(self) -> bool:
        return self.current == self.hosts[0]

    def agree(self, name: str, has: bool) -> None:
        """
        Raises:
            UserError: some hosts have data in a channel and others have none.
        """
        if len(self.hosts) > 1 and 0 < _total(has) < len(self.hosts):
            raise UserError(f"channel {name}: some hosts have data and others have none; use FullyReplicated")


ALONE = Cluster(["algo-1"], "algo-1")


def run(hosts: list[str], current: str, has_data: bool, train: Callable[[Cluster], None]) -> None:
    """Call ``train`` on every host that has data, while they are joined; a host without data does nothing.

    Raises:
        UserError: no host has data, or they do not find each other.
    """
    print(f"Distributed node training with {len(hosts)} hosts: {hosts}", flush=True)
    everyone = Cluster(sorted(hosts), current)
    with joined(everyone, _PORT):
        mine = np.array([int(has_data and host == current) for host in everyone.hosts])
        having = collective.allreduce(mine, collective.Op.MAX)
    training = Cluster([host for host, has in zip(everyone.hosts, having, strict=True) if has], current)
    if not training.hosts:
        raise UserError("No hosts received training data.")
    if not has_data:
        print(f"Host {current} does not have data. Will not be used in distributed training.", flush=True)
    elif len(training.hosts) == 1:
        train(training)
    else:
        with joined(training, _PORT + 1):
            train(training)


@contextmanager
def joined(cluster: Cluster, port: int) -> Iterator[None]:
    """While every host of the cluster is here, its first host's tracker makes them known to each other."""
    master = cluster.hosts[0]
    with ExitStack() as stack:
        address = _address(master)
        if cluster.is_master:
            tracker = RabitTracker(n_workers=len(cluster.hosts), host_ip=address, port=port, sortby="task")
            tracker.start()
            time.sleep(_START_SECONDS)  # it listens in a thread, and who comes too early waits for seconds
            stack.enter_context(socket.create_server(("", port + _READY_OFFSET), backlog=len(cluster.hosts)))
        else:
            _await(address, port + _READY_OFFSET)
        with collective.CommunicatorContext(
            dmlc_tracker_uri=address, dmlc_tracker_port=port, dmlc_task_id=cluster.current
        ):
            yield
        if cluster.is_master:
            tracker.wait_for()


def any_host(flag: bool) -> bool:
    """Whether it is true on one of the hosts that are joined."""
    return _total(flag) > 0 if collective.is_distributed() else flag


def _total(flag: bool) -> int:
    return int(collective.allreduce(np.array([int(flag)]), collective.Op.SUM)[0])


def _address(host: str) -> str:
    return str(_retried(lambda: socket.gethostbyname(host), f"the name of host {host} does not resolve"))


def _await(address: str, port: int) -> None:
    _retried(lambda: socket.create_connection((address, port), _JOIN_SECONDS).close(), f"{address} does not answer")


def _retried(attempt: Callable[[], Any], failure: str) -> Any:
    deadline = time.monotonic() + _JOIN_SECONDS
    while True:
        try:
            return attempt()
        except OSError as error:
            if time.monotonic() > deadline:
                raise UserError(f"Failed to connect to the other hosts: {failure}") from error
            time.sleep(_RETRY_SECONDS)
