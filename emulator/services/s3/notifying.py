"""From the notes of what happened to objects to deliveries, each once.

The notes lie in the database of the objects, the deliveries in that of everything else. The number of the last note
that was turned into deliveries is stored with these, so that a crash in between neither loses one nor repeats it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from emulator.services.context import Context
from emulator.services.events.buses import DEFAULT
from emulator.services.events.putting import route
from emulator.services.identity import identity_of
from emulator.services.s3.notification_checks import entries_of, filter_of
from emulator.services.s3.notification_messages import bridged, records, test_message
from emulator.store.object_events import TEST, ObjectEvent

if TYPE_CHECKING:
    from emulator.services.context import App
    from emulator.services.delivery import Deliveries

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS object_events_sent (one INTEGER PRIMARY KEY CHECK (one = 1), last INTEGER NOT NULL)",
)
SUBJECT = "Amazon S3 Notification"
_AT_ONCE = 100


def notify(app: App, deliveries: Deliveries) -> None:
    """Store the deliveries of every note there is."""
    database = app.resources.database
    while events := app.objects.events.pending(_AT_ONCE):
        with database.transaction() as connection:
            row = database.read_one("SELECT last FROM object_events_sent")
            sent = row["last"] if row else 0
            for event in events:
                if event.id > sent:
                    _send(event, app, deliveries)
            last = events[-1].id
            connection.execute("INSERT OR REPLACE INTO object_events_sent VALUES (1, ?)", (max(last, sent),))
        app.objects.events.taken(last)


def _send(event: ObjectEvent, app: App, deliveries: Deliveries) -> None:
    if event.name == TEST:
        _send_test(event, deliveries)
        return
    if "EventBridgeConfiguration" in event.configuration:
        route(bridged(event), DEFAULT, event.scope, app.resources, deliveries)
    for kind, entry in entries_of(event.configuration):
        if _asks_for(entry, event):
            user_id = identity_of(Context(event.scope, event.request_id, app)).user_id
            deliveries.add(event.scope, _target(entry[kind.arn]), records(event, entry["Id"], user_id))


def _send_test(event: ObjectEvent, deliveries: Deliveries) -> None:
    for kind, entry in entries_of(event.configuration):
        if kind.service != "lambda":
            deliveries.add(event.scope, _target(entry[kind.arn]), test_message(event))


def _target(arn: str) -> dict[str, Any]:
    return {"Arn": arn, "Subject": SUBJECT}


def _asks_for(entry: dict[str, Any], event: ObjectEvent) -> bool:
    """Filters are written as keys are in messages (a space as ``+``, ``=`` as ``%3D``), or as they are."""
    prefix, suffix = filter_of(entry)
    named = any(fnmatchcase(f"s3:{event.name}", pattern) for pattern in entry["Events"])
    begins = event.key.startswith((prefix, unquote_plus(prefix)))
    return named and begins and event.key.endswith((suffix, unquote_plus(suffix)))
