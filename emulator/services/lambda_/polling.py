"""What Lambda does for an event source mapping: it receives messages, calls the function, and deletes what succeeded.

One thread looks after all mappings. Nothing is kept but the mappings: messages of a batch whose function failed, or was
running when the emulator died, become visible again in their queue (Developer Guide, "Using Lambda with Amazon SQS").
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any

from emulator.aws.errors import AwsError
from emulator.services.context import Context
from emulator.services.events.patterns import matches, parse_pattern
from emulator.services.lambda_.function_host import HostClosed
from emulator.services.lambda_.names import find_version
from emulator.services.lambda_.ordering import Call
from emulator.services.lambda_.run_folder import Outcome
from emulator.services.sqs.records import record_of
from emulator.services.worker import IDLE_SECONDS, Worker
from emulator.store.messages import Message, NotInFlight
from emulator.store.queues import Queue
from emulator.store.resources import Resource

if TYPE_CHECKING:
    from emulator.services.context import App

KIND = "event-source-mapping"
ENABLED, DISABLED = "Enabled", "Disabled"
SOURCE, FUNCTION, SIZE, WINDOW = "EventSourceArn", "FunctionArn", "BatchSize", "MaximumBatchingWindowInSeconds"
RESPONSE_TYPES, FILTERS, CONCURRENCY = "FunctionResponseTypes", "FilterCriteria", "ScalingConfig"
_PARTIAL = "ReportBatchItemFailures"
_CONCURRENT = 5
"""Batches of one mapping at the same time: how many Lambda begins with."""
_LOOK_AGAIN_SECONDS = 1.0
"""A message sent within a larger transaction is announced before it can be seen; a second look finds it."""


class Pollers(Worker):
    def __init__(self, app: App) -> None:
        super().__init__("event-sources")
        self._app = app
        self._running: Counter[str] = Counter()
        self._watched: dict[int, Queue] = {}
        self._first_seen: dict[str, float] = {}
        self._lock = threading.Lock()
        app.resources.subscribe(self._changed)

    def _changed(self, resource: Resource) -> None:
        if resource.kind == KIND:
            self.wake()

    def work(self) -> float:
        """Hand over all messages that may be; the seconds until it is worth to look again."""
        mappings = self._app.resources.with_status(KIND, ENABLED)
        queues = self._app.neighbours.queues
        sources = {mapping.name: queues.by_arn(mapping.body[SOURCE]) for mapping in mappings}
        self._watch({queue.id: queue for queue in sources.values() if queue is not None})
        for mapping in mappings:
            queue = sources[mapping.name]
            if queue is not None:
                self._drain(mapping, queue)
        return _LOOK_AGAIN_SECONDS if mappings else IDLE_SECONDS

    def _watch(self, wanted: dict[int, Queue]) -> None:
        queues = self._app.neighbours.queues
        for number in self._watched.keys() - wanted.keys():
            queues.unwait(self._watched.pop(number), self.wake)
        for number in wanted.keys() - self._watched.keys():
            self._watched[number] = wanted[number]
            queues.wait(wanted[number], self.wake)

    def _drain(self, mapping: Resource, queue: Queue) -> None:
        most = (mapping.body.get(CONCURRENCY) or {}).get("MaximumConcurrency", _CONCURRENT)
        context = Context(mapping.scope, str(uuid.uuid4()), self._app)
        while self._running[mapping.name] < most and self._is_time(mapping, queue):
            try:
                _, version = find_version(mapping.body[FUNCTION], context)
            except AwsError:  # the function was deleted: its messages stay
                return
            messages = self._app.neighbours.messages
            batch = messages.receive(queue, mapping.body[SIZE], queue.seconds("VisibilityTimeout"))
            if not batch:
                return
            self._first_seen.pop(mapping.name, None)
            wanted = self._filtered(mapping, queue, batch)
            if wanted:
                self._hand_over(mapping, queue, version, wanted)

    def _is_time(self, mapping: Resource, queue: Queue) -> bool:
        """Whether a batch is full, or the first message has waited as long as the mapping lets it."""
        window = mapping.body[WINDOW]
        if not window:
            return True
        visible = self._app.neighbours.messages.counts(queue).visible
        if not visible:
            return False
        now = time.monotonic()
        waited = now - self._first_seen.setdefault(mapping.name, now)
        return bool(visible >= mapping.body[SIZE] or waited >= window)

    def _filtered(self, mapping: Resource, queue: Queue, batch: list[Message]) -> list[Message]:
        """What a filter does not want is deleted (Developer Guide, "Using event filtering with an SQS source")."""
        filters = (mapping.body.get(FILTERS) or {}).get("Filters") or []
        if not filters:
            return batch
        patterns = [parse_pattern(each["Pattern"]) for each in filters]
        wanted = [message for message in batch if _is_wanted(message, queue, patterns)]
        self._delete(queue, [message for message in batch if message not in wanted])
        return wanted

    def _hand_over(self, mapping: Resource, queue: Queue, version: Resource, batch: list[Message]) -> None:
        event = json.dumps({"Records": [record_of(message, queue) for message in batch]})
        call = Call(str(uuid.uuid4()), mapping.body[FUNCTION], event)
        try:
            future = self._app.neighbours.functions.call(version, call)
        except AwsError:  # too many run already: the batch comes again when its messages are visible
            return
        with self._lock:
            self._running[mapping.name] += 1
        future.add_done_callback(lambda done: self._settle(mapping, queue, batch, done))

    def _settle(self, mapping: Resource, queue: Queue, batch: list[Message], done: Future[Outcome]) -> None:
        try:
            outcome = done.result()
            failed = {message.message_id for message in batch} if outcome.failed else set()
            if not outcome.failed and _PARTIAL in (mapping.body.get(RESPONSE_TYPES) or ()):
                failed = reported_failures(outcome.payload, {message.message_id for message in batch})
            self._delete(queue, [message for message in batch if message.message_id not in failed])
        except (AwsError, HostClosed, CancelledError):
            return
        finally:
            with self._lock:
                self._running[mapping.name] -= 1
            self.wake()

    def _delete(self, queue: Queue, batch: list[Message]) -> None:
        for message in batch:
            try:
                self._app.neighbours.messages.delete(queue, message.receipt)
            except NotInFlight:  # it took longer than the visibility timeout of a FIFO queue: it comes again
                continue


def _is_wanted(message: Message, queue: Queue, patterns: list[dict[str, Any]]) -> bool:
    view = {**record_of(message, queue), "body": _parsed(message.body)}
    return any(matches(pattern, view) for pattern in patterns)


def reported_failures(payload: str, batch: set[str]) -> set[str]:
    """Ids of the messages that a function says have failed; all of the batch if what it says is not valid.

    (Developer Guide, "Implementing partial batch responses": success and failure conditions.)
    """
    answer = _parsed(payload)
    entries = answer.get("batchItemFailures") if isinstance(answer, dict) else answer
    if not entries:
        return set()
    if not isinstance(answer, dict) or not isinstance(entries, list):
        return batch
    found: set[str] = {str(entry.get("itemIdentifier")) if isinstance(entry, dict) else "" for entry in entries}
    return found if found <= batch else batch


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
