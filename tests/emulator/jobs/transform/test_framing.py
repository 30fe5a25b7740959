import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.transform.batches import RecordTooLarge, frames
from emulator.jobs.transform.formats import FormatError
from emulator.jobs.transform.framing import recordio, tfrecord

contents = st.lists(st.binary(max_size=20), max_size=8)


def of_recordio(content, flag=0):
    return struct.pack("<II", 0xCED7230A, flag << 29 | len(content)) + content + b"\0" * (-len(content) % 4)


def of_tfrecord(content):
    return struct.pack("<QI", len(content), 1) + content + struct.pack("<I", 2)


FRAMINGS = [(recordio, of_recordio), (tfrecord, of_tfrecord)]


@pytest.mark.parametrize(("read", "write"), FRAMINGS)
@given(contents)
def test_each_record_keeps_its_frame(read, write, records):
    framed = [write(record) for record in records]
    assert list(read(io.BytesIO(b"".join(framed)))) == framed


@given(contents, st.booleans())
def test_payloads_are_whole_records_in_order(records, single):
    framed = [of_recordio(record) for record in records]
    bodies = [batch.body for batch in frames(iter(framed), 60, single=single)]
    assert b"".join(bodies) == b"".join(framed)
    assert all(len(body) <= 60 for body in bodies)
    assert not single or bodies == framed


def test_a_record_in_pieces_is_one():
    pieces = of_recordio(b"one", 1) + of_recordio(b"two", 2) + of_recordio(b"three", 3)
    assert list(recordio(io.BytesIO(pieces + of_recordio(b"four")))) == [pieces, of_recordio(b"four")]
    with pytest.raises(FormatError, match="its last record is cut off"):
        list(recordio(io.BytesIO(of_recordio(b"one", 1))))


@pytest.mark.parametrize(("read", "write"), FRAMINGS)
@pytest.mark.parametrize("cut", [1, 5, 9, 13, 17])
def test_a_record_that_is_cut_off(read, write, cut):
    with pytest.raises(FormatError, match="its last record is cut off"):
        list(read(io.BytesIO(write(b"whole") + write(b"four plus")[:-cut])))


def test_what_is_no_frame():
    with pytest.raises(FormatError, match="a frame begins with 0x2c312c31"):
        list(recordio(io.BytesIO(b"1,1,1,1,")))


def test_a_record_that_is_larger_than_a_payload():
    with pytest.raises(RecordTooLarge, match="MaxPayloadInMB"):
        list(frames(iter([b"x" * 61]), 60, single=False))
