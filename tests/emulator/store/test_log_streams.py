import threading
import time
from itertools import islice

import pytest

from emulator.store.database import Database
from emulator.store.log_files import MAX_EVENT_BYTES, TAIL_BYTES, LogReader, LogWriter
from emulator.store.log_streams import LogResourceExists, LogResourceNotFound, LogStreams
from emulator.store.resources import SCHEMA, Scope

HERE = Scope("123456789012", "us-east-1")
ELSEWHERE = Scope("123456789012", "eu-west-1")
GROUP = "/aws/sagemaker/TrainingJobs"
LIMIT = 1 << 20


@pytest.fixture
def logs(tmp_path):
    database = Database(tmp_path / "state.db", SCHEMA)
    yield LogStreams(tmp_path / "logs", database, LIMIT)
    database.close()


def write(logs, *pieces, stream="job/algo-1-1"):
    writer = logs.writer(HERE, GROUP, stream)
    for piece in pieces:
        writer.write(piece)
    writer.close()
    return logs.stream(HERE, GROUP, stream)


def messages(logs, stream):
    return [event.message for event in logs.events(stream)]


def test_lines_come_back_in_order_however_they_were_cut(logs):
    stream = write(logs, b"one\ntw", b"o\n\nthr", b"ee")
    assert messages(logs, stream) == ["one", "two", "three"]
    assert [e.message for e in logs.events_backward(stream)] == ["three", "two", "one"]
    assert logs.tail(HERE, GROUP, stream.name, 2) == ["two", "three"]


def test_control_characters_look_as_the_agent_of_aws_shows_them(logs):
    stream = write(logs, b"[0]\ttrain-auc:0.5\n50%\r60%\n\xff\xfe\n")
    assert messages(logs, stream) == ["[0]#011train-auc:0.5", "50%#01560%", "\ufffd\ufffd"]


def test_a_stream_is_read_while_it_is_written(logs):
    writer = logs.writer(HERE, GROUP, "live")
    stream = logs.stream(HERE, GROUP, "live")
    writer.write(b"one\nunfin")
    (first,) = logs.events(stream)
    assert first.message == "one"
    assert list(logs.events(stream, first.end)) == []
    writer.write(b"ished\n")
    assert [event.message for event in logs.events(stream, first.end)] == ["unfinished"]
    writer.write(b"last")
    writer.close()
    assert messages(logs, stream) == ["one", "unfinished", "last"]


def test_a_line_of_the_emulator_starts_on_a_line_of_its_own(logs):
    writer = logs.writer(HERE, GROUP, "s")
    writer.write(b"no newline")
    writer.line("killed")
    writer.close()
    assert messages(logs, logs.stream(HERE, GROUP, "s")) == ["no newline", "emulator: killed"]


def test_writing_goes_on_where_an_earlier_writer_was_killed(logs):
    killed, writer = logs.writer(HERE, GROUP, "s"), logs.writer(HERE, GROUP, "s")
    killed.write(b"first\n")
    writer.write(b"second\n")
    assert messages(logs, logs.stream(HERE, GROUP, "s")) == ["first", "second"]
    killed.close()
    writer.close()


def test_events_carry_the_time_at_which_they_came(logs):
    writer = logs.writer(HERE, GROUP, "s")
    before = int(time.time() * 1000)
    writer.write(b"a\nb\n")
    time.sleep(0.02)
    writer.write(b"c\n")
    writer.close()
    a, b, c = logs.events(logs.stream(HERE, GROUP, "s"))
    assert before <= a.timestamp == b.timestamp < c.timestamp <= time.time() * 1000


def test_of_a_long_stream_the_beginning_and_the_end_are_kept(logs, tmp_path):
    line = b"%09d" + b"x" * 90 + b"\n"
    count = 100_000
    writer = logs.writer(HERE, GROUP, "long")
    for start in range(0, count, 1000):
        writer.write(b"".join(line % number for number in range(start, start + 1000)))
    writer.close()
    stream = logs.stream(HERE, GROUP, "long")
    found = messages(logs, stream)
    (gap,) = [index for index, message in enumerate(found) if message.startswith("emulator: ")]
    assert gap * 100 >= LIMIT - 100
    assert found[0].startswith("000000000")
    assert found[-1].startswith("000099999")
    tail = found[gap + 1 :]
    assert TAIL_BYTES - 100 <= sum(len(message) + 1 for message in tail) <= 2 * TAIL_BYTES
    assert [int(message[:9]) for message in tail] == list(range(count - len(tail), count))
    dropped = int(found[gap].split()[1])
    assert dropped + sum(len(m) + 1 for i, m in enumerate(found) if i != gap) == count * 100 + 1
    assert [e.message for e in logs.events_backward(stream)] == found[::-1]
    kept = sum(path.stat().st_size for path in (tmp_path / "logs").rglob("*.*"))
    assert kept < LIMIT + 2 * TAIL_BYTES + 200_000


def test_reading_resumes_anywhere_and_sees_each_event_once(logs):
    stream = write(logs, b"".join(b"line %d\n" % number for number in range(5000)))
    position, seen = 0, []
    while page := list(islice(logs.events(stream, position), 700)):
        seen += [event.message for event in page]
        position = page[-1].end
    assert seen == [f"line {number}" for number in range(5000)]
    middle = list(logs.events(stream))[2500]
    before = list(islice(logs.events_backward(stream, middle.position), 2))
    assert [event.message for event in before] == ["line 2499", "line 2498"]


def test_an_endless_line_becomes_several_events(logs):
    stream = write(logs, b"y" * (3 * MAX_EVENT_BYTES + 5), b"\nnext\n")
    assert [len(message) for message in messages(logs, stream)] == [MAX_EVENT_BYTES] * 3 + [5, 4]
    assert [e.message for e in logs.events_backward(stream)] == messages(logs, stream)[::-1]


def test_messages_of_clients_are_kept_as_they_were_sent(logs):
    logs.create_group(HERE, "g")
    logs.create_stream(HERE, "g", "s")
    logs.put(HERE, "g", "s", [(1000, "two\nlines\there"), (2000, "é")])
    events = list(logs.events(logs.stream(HERE, "g", "s")))
    assert [(e.timestamp, e.message) for e in events] == [(1000, "two\nlines\there"), (2000, "é")]


def test_names_belong_to_an_account_and_region(logs):
    write(logs, b"x\n")
    with pytest.raises(LogResourceNotFound, match=r"The specified log group does not exist\."):
        logs.streams(ELSEWHERE, GROUP)
    with pytest.raises(LogResourceNotFound, match=r"The specified log stream does not exist\."):
        logs.stream(HERE, GROUP, "other")
    with pytest.raises(LogResourceExists):
        logs.create_group(HERE, GROUP)


def test_streams_are_found_by_prefix_and_paged_by_name(logs):
    for name in ("a/1", "a/2", "b/1"):
        write(logs, b"x\n", stream=name)
    assert [stream.name for stream in logs.streams(HERE, GROUP, "a/")] == ["a/1", "a/2"]
    assert [stream.name for stream in logs.streams(HERE, GROUP, after="a/1", limit=1)] == ["a/2"]


def test_deleting_a_group_leaves_no_files(logs, tmp_path):
    write(logs, b"x\n")
    logs.delete_group(HERE, GROUP)
    assert logs.groups(HERE) == []
    assert not list((tmp_path / "logs").rglob("*.log"))


def test_a_reader_keeps_up_with_a_tail_that_moves_on(tmp_path):
    """One thread prints 30 MB, another follows it: lines stay whole, in order, with gaps named."""
    writer = LogWriter(tmp_path / "s", LIMIT)
    done = threading.Event()

    def produce():
        for start in range(0, 300_000, 500):
            writer.write(b"".join(b"%09d" % n + b"x" * 90 + b"\n" for n in range(start, start + 500)))
        done.set()

    thread = threading.Thread(target=produce)
    thread.start()
    position, last, finished = 0, -1, False
    while not finished:
        finished = done.is_set()
        for line in LogReader(tmp_path / "s", closed=False).forward(position):
            position = line.end
            if not line.data.startswith(b"emulator: "):
                number = int(line.data[:9])
                assert number > last
                assert len(line.data) == 99 or last < LIMIT // 100 + 1
                last = number
    thread.join()
    writer.close()
    assert last == 299_999
