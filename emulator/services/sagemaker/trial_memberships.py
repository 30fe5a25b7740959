"""Which trial components are in which trials, and so in which experiments.

A membership is kept as rows that are named and dated after the member, so that lists of members are sorted, filtered
and paged as lists of anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from emulator.store.resources import Query, Resource

if TYPE_CHECKING:
    from emulator.services.context import Context

COMPONENTS = "trial-component-of"
"""Kind of the rows that list the components of a trial or an experiment."""
TRIALS = "trial-of"
"""Kind of the rows that list the trials of a component."""
_OWNER, _MEMBER = "Owner", "Member"


def join(context: Context, component: Resource, trial: Resource, experiment: Resource) -> None:
    """Put a component into a trial; nothing changes if it is in it."""
    with context.app.resources.database.transaction():
        for row in _rows(component, trial, experiment):
            context.app.resources.insert(row)


def leave(context: Context, component: Resource, trial: Resource, experiment: Resource) -> bool:
    """Take a component out of a trial; False if it was not in it."""
    resources = context.app.resources
    with resources.database.transaction():
        in_trial, of_component, in_experiment = _rows(component, trial, experiment)
        was = resources.delete(in_trial.arn)
        resources.delete(of_component.arn)
        others, _ = members_of(context, TRIALS, component, {})
        if not any(other.parent == trial.parent for other in others):
            resources.delete(in_experiment.arn)
    return was


def members_of(
    context: Context, kind: str, owner: Resource, paging: dict[str, Any]
) -> tuple[list[Resource], str | None]:
    """One page of the members, and the token of the next."""
    resources = context.app.resources
    page, token = resources.page(context.scope, Query(kind, members={_OWNER: owner.arn}, **paging))
    found = (resources.by_arn(row.body[_MEMBER]) for row in page)
    return [member for member in found if member is not None], token


def _rows(component: Resource, trial: Resource, experiment: Resource) -> Iterator[Resource]:
    yield _row(COMPONENTS, component, trial)
    yield _row(TRIALS, trial, component)
    yield _row(COMPONENTS, component, experiment)


def _row(kind: str, member: Resource, owner: Resource) -> Resource:
    arn = f"{kind} {member.arn} {owner.arn}"
    body = {_OWNER: owner.arn, _MEMBER: member.arn}
    return Resource(owner.scope, kind, f"{member.name} {owner.arn}", arn, body, created=member.created)
