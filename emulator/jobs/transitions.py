"""The secondary statuses that a training job goes through, and what can be told from them.

They are the job's whole memory of its attempts, so what an emulator that was killed had noted of one can be taken back.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

TRANSITIONS = "SecondaryStatusTransitions"
STARTING, INTERRUPTED, TRAINING = "Starting", "Interrupted", "Training"
_ON_INSTANCES = ("Downloading", TRAINING, "Uploading", "Stopping")
SPOT_PRICE = 0.3
"""What a second on spot instances is billed, in seconds on demand. AWS's price changes: it saves up to nine tenths."""


def move_to(body: dict[str, Any], status: str, message: str, now: float) -> None:
    """Enter a secondary status at ``now`` (Unix seconds): the last transition ends, a new one begins."""
    transitions = body.setdefault(TRANSITIONS, [])
    if transitions and "EndTime" not in transitions[-1]:
        transitions[-1]["EndTime"] = now
    transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})
    body["SecondaryStatus"] = status


def go_back(body: dict[str, Any]) -> None:
    """To where the last attempt was still to begin."""
    transitions = body[TRANSITIONS]
    while transitions[-1]["Status"] not in (STARTING, INTERRUPTED):
        transitions.pop()
    transitions[-1].pop("EndTime", None)
    body["SecondaryStatus"] = transitions[-1]["Status"]


def is_first(body: dict[str, Any]) -> bool:
    """Whether no attempt has begun."""
    return len(body[TRANSITIONS]) == 1


def retries(body: dict[str, Any]) -> int:
    """How often the job was started again for the service's own fault."""
    statuses = [transition["Status"] for transition in body[TRANSITIONS]]
    return sum(two == STARTING and one != INTERRUPTED for one, two in pairwise(statuses))


def trained_seconds(body: dict[str, Any]) -> float:
    """How long the programs of earlier attempts ran."""
    return _seconds(body, (TRAINING,))


def bill(body: dict[str, Any]) -> None:
    """Write the times of a job that has ended into it: those on instances, not those of waiting for them."""
    seconds = max(1, math.ceil(_seconds(body, _ON_INSTANCES)))
    billed = math.ceil(seconds * SPOT_PRICE) if body.get("EnableManagedSpotTraining") else seconds
    body |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billed}


def _seconds(body: dict[str, Any], statuses: tuple[str, ...]) -> float:
    ended = [item for item in body[TRANSITIONS] if item["Status"] in statuses and "EndTime" in item]
    return math.fsum(item["EndTime"] - item["StartTime"] for item in ended)
