import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.transform.batches import RecordTooLarge, grouped, lines, read_lines, single_lines, whole

texts = st.lists(st.text(st.characters(categories=("L", "N")), max_size=6).map(str.encode), max_size=12)
LIMIT = 30


@given(texts, st.booleans())
def test_lines_lose_nothing_and_are_never_cut(records, ended):
    data = b"\n".join(records) + (b"\n" if ended else b"")
    bodies = [batch.body for batch in lines(io.BytesIO(data), LIMIT)]
    assert b"".join(bodies) == data
    assert all(0 < len(body) <= LIMIT for body in bodies)
    assert all(body.endswith(b"\n") for body in bodies[:-1])


@given(texts)
def test_lines_fill_a_payload(records):
    data = b"".join(record + b"\n" for record in records)
    bodies = [batch.body for batch in lines(io.BytesIO(data), LIMIT)]
    for body, following in pairwise(bodies):
        assert len(body) + following.index(b"\n") + 1 > LIMIT


@given(texts)
def test_single_lines_are_the_records_without_their_ends(records):
    data = b"\r\n".join(records)
    assert [batch.body for batch in single_lines(io.BytesIO(data), LIMIT)] == [record for record in records if record]


@given(texts, st.booleans())
def test_converted_records_stay_in_order_within_the_limit(records, single):
    data = b"\n".join(records)
    converted = (
        grouped(read_lines(io.BytesIO(data), LIMIT), LIMIT, lambda line: (line * 2, line), single=single)
        if all(len(record) * 2 < LIMIT for record in records)
        else iter(())
    )
    batches = list(converted)
    if batches:
        assert [record for batch in batches for record in batch.records] == [record for record in records if record]
        assert all(len(batch.body) <= LIMIT + 1 for batch in batches)
        assert b"".join(batch.body for batch in batches).replace(b"\n", b"") == b"".join(r * 2 for r in records)


@pytest.mark.parametrize("cut", [lines, single_lines])
def test_a_record_that_is_larger_than_a_payload(cut):
    with pytest.raises(RecordTooLarge, match="larger than MaxPayloadInMB"):
        list(cut(io.BytesIO(b"x" * (LIMIT + 1) + b"\ny"), LIMIT))


def test_a_last_record_that_fills_a_payload_exactly():
    assert [batch.body for batch in lines(io.BytesIO(b"x" * LIMIT), LIMIT)] == [b"x" * LIMIT]


def test_an_object_as_a_whole():
    assert [batch.body for batch in whole(io.BytesIO(b"a\nb"), LIMIT)] == [b"a\nb"]
    assert list(whole(io.BytesIO(b""), LIMIT)) == []
    assert [len(batch.body) for batch in whole(io.BytesIO(b"x" * 99), 0)] == [99]
    with pytest.raises(RecordTooLarge, match="SplitType is None"):
        list(whole(io.BytesIO(b"x" * (LIMIT + 1)), LIMIT))
