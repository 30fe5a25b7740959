"""Messages of queues: what the integration tests of SQS cannot see or would have to wait for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.store.database import Database
from emulator.store.messages import BadReceipt, Draft, Messages, NotInFlight
from emulator.store.queues import Queue, Queues
from emulator.store.resources import SCHEMA, Scope

SCOPE = Scope("123456789012", "us-east-1")


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Queues]:
    database = Database(tmp_path / "state.db", SCHEMA)
    yield Queues(database)
    database.close()


@pytest.fixture
def messages(queues: Queues) -> Messages:
    return Messages(queues)


@pytest.fixture
def queue(queues: Queues) -> Queue:
    return queues.create(SCOPE, "q", {})


def test_each_message_goes_to_one_of_many_receivers(messages: Messages, queue: Queue) -> None:
    for number in range(50):
        messages.send(queue, Draft(str(number)))
    taken: list[str] = []

    def receive() -> None:
        while found := messages.receive(queue, 3, 30):
            taken.extend(message.body for message in found)

    threads = [threading.Thread(target=receive) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken, key=int) == [str(number) for number in range(50)]


def test_a_message_comes_back_when_its_time_in_flight_is_over(messages: Messages, queue: Queue) -> None:
    messages.send(queue, Draft("x"))
    (first,) = messages.receive(queue, 1, 0)
    (second,) = messages.receive(queue, 1, 30)
    assert (first.received, second.received) == (1, 2)
    assert first.first_received == second.first_received
    assert messages.receive(queue, 1, 30) == []
    messages.delete(queue, first.receipt)  # outdated: deletes nothing
    assert messages.counts(queue).in_flight == 1
    with pytest.raises(NotInFlight):
        messages.change_visibility(queue, first.receipt, 0)


def test_what_is_older_than_the_retention_is_gone(queues: Queues, messages: Messages, queue: Queue) -> None:
    messages.send(queue, Draft("x"))
    queues.set_attributes(queue, {"MessageRetentionPeriod": "0"})
    changed = queues.find(SCOPE, "q")
    assert changed is not None
    assert messages.counts(changed).visible == 0
    assert messages.receive(changed, 1, 30) == []


def test_delayed_messages_are_counted_and_invisible(messages: Messages, queue: Queue) -> None:
    messages.send(queue, Draft("x", delay=60))
    assert messages.receive(queue, 1, 30) == []
    assert messages.counts(queue).delayed == 1
    assert messages.next_due(queue) is not None


def test_a_delayed_message_does_not_block_its_group(queues: Queues, messages: Messages) -> None:
    fifo = queues.create(SCOPE, "f.fifo", {"FifoQueue": "true"})
    messages.send(fifo, Draft("1", group="g", deduplication="1", delay=0))
    messages.send(fifo, Draft("2", group="g", deduplication="2", delay=60))
    assert [message.body for message in messages.receive(fifo, 10, 30)] == ["1"]


def test_deduplication_may_be_by_group(queues: Queues, messages: Messages) -> None:
    fifo = queues.create(SCOPE, "f.fifo", {"FifoQueue": "true", "DeduplicationScope": "messageGroup"})
    same = messages.send(fifo, Draft("1", group="a", deduplication="d"))
    assert messages.send(fifo, Draft("1", group="a", deduplication="d")) == same
    assert messages.send(fifo, Draft("1", group="b", deduplication="d")) != same
    assert same[1] < messages.send(fifo, Draft("2", group="a", deduplication="e"))[1]


@pytest.mark.parametrize("receipt", ["", "nonsense", "MTox", "Og==", "OTk6MTp4"])
def test_a_handle_of_another_making_is_refused(messages: Messages, queue: Queue, receipt: str) -> None:
    with pytest.raises(BadReceipt):
        messages.delete(queue, receipt)


def test_a_queue_that_is_deleted_takes_its_messages_along(queues: Queues, messages: Messages, queue: Queue) -> None:
    messages.send(queue, Draft("x"))
    queues.delete(queue)
    again = queues.create(SCOPE, "q", {})
    assert messages.receive(again, 1, 30) == []
    assert queues.named(SCOPE, "q", "", 10) == [again]
