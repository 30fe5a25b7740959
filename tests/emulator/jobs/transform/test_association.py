import csv
import io
import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.transform.association import Association
from emulator.jobs.transform.batches import Batch
from emulator.jobs.transform.formats import Csv, FormatError
from emulator.jobs.transform.jsonpath import JsonPath, JsonPathError

cells = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85"), max_size=8)


def associate(kind, records, answer, answer_type=None, *, by_line=True, **processing):
    association = Association.of(processing, kind, by_line=by_line)
    converted = [association.convert(record) for record in records]
    batch = Batch(b"\n".join(body for body, _ in converted), [record for _, record in converted])
    return batch.body, association.finish(batch, answer, answer_type or kind)


def test_nothing_is_looked_into_where_nothing_is_asked():
    association = Association.of({}, "image/png", by_line=False)
    assert association.fmt is None
    assert association.finish(Batch(b"x"), b"\x00 any\nthing", None) == b"\x00 any\nthing"


def test_rows_of_csv():
    sent, stored = associate(
        "text/csv; charset=utf-8",
        [b'1,"a,b",2', b"3,c,4"],
        b"0.5\n0.25\n",
        InputFilter="$[0,2]",
        JoinSource="Input",
        OutputFilter="$[1:]",
    )
    assert sent == b"1,2\n3,4"
    assert stored == b'"a,b",2,0.5\nc,4,0.25\n'


def test_one_column_of_the_answer_is_chosen_without_a_join():
    assert associate("text/csv", [b"1"], b"0.5,0.25\n", OutputFilter="$[1]")[1] == b"0.25\n"


def test_json_that_is_no_object_becomes_one():
    stored = associate("application/jsonlines", [b"[1, 2]"], b"[3]", JoinSource="Input")[1]
    assert json.loads(stored) == {"SageMakerInput": [1, 2], "SageMakerOutput": [3]}


def test_a_json_document_as_a_whole():
    sent, stored = associate(
        "application/json",
        [b'{"id": 1,\n "f": [1]}'],
        b'{"score":\n 2}',
        by_line=False,
        InputFilter="$.f",
        JoinSource="Input",
    )
    assert sent == b"[1]"
    assert stored == b'{"id":1,"f":[1],"SageMakerOutput":{"score":2}}'


@pytest.mark.parametrize("answer", [b"1\n", b"1\n2\n3\n", b""])
def test_an_answer_with_another_number_of_records(answer):
    with pytest.raises(FormatError, match=r"has \d records, the request had 2"):
        associate("text/csv", [b"1", b"2"], answer, JoinSource="Input")


@pytest.mark.parametrize(
    ("kind", "records", "answer", "answer_type"),
    [
        ("text/csv", [b"1"], b'{"a": 1}', "application/json"),
        ("application/jsonlines", [b"{"], b"1", None),
        ("application/jsonlines", [b"1"], b"no", None),
        ("text/csv", [b'"a'], b"1", None),
        ("text/csv", [b"\xff"], b"1", None),
    ],
)
def test_what_cannot_be_read(kind, records, answer, answer_type):
    with pytest.raises(FormatError, match="Failed to parse"):
        associate(kind, records, answer, answer_type, JoinSource="Input")


def test_a_filter_beyond_the_row():
    with pytest.raises(JsonPathError, match="none at 3"):
        associate("text/csv", [b"1,2,3"], b"1", InputFilter="$[3]")


@given(st.lists(cells, min_size=1, max_size=5))
def test_a_row_that_is_written_is_read_back(row):
    written = Csv().write(row)
    assert next(csv.reader(io.StringIO(written.decode(), newline="")), [""]) == row
    assert Csv().read(written) == row


@given(st.lists(st.lists(cells, min_size=2, max_size=2), min_size=1, max_size=4), st.data())
def test_joined_rows_are_input_then_answer(rows, data):
    answers = data.draw(st.lists(st.integers().map(str), min_size=len(rows), max_size=len(rows)))
    records = [Csv().write(row) for row in rows]
    stored = associate("text/csv", records, "\n".join(answers).encode(), JoinSource="Input")[1]
    joined = [Csv().read(line) for line in stored.split(b"\n")[:-1]]
    assert joined == [[*row, answer] for row, answer in zip(rows, answers, strict=True)]


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=4),
    st.sampled_from(["$[1]", "$[0,2]", "$[1:]"]),
)
def test_rows_that_are_not_parsed_become_what_they_would_if_they_were(rows, chosen):
    path, csv_ = JsonPath(chosen), Csv()
    for row in rows:
        record = csv_.write(row)
        assert csv_.filtered(record, path) == csv_.write(path(csv_.read(record)))
        joined = csv_.write(path(csv_.join(csv_.read(record), ["1"])))
        assert csv_.finished(record, b"1", path, None) == joined


def test_records_are_the_lines_of_a_payload_that_went_as_it_was():
    association = Association.of({"JoinSource": "Input"}, "text/csv", by_line=True)
    assert association.finish(Batch(b"1,2\r\n\n3,4"), b"a\nb\n", "text/csv") == b"1,2,a\n3,4,b\n"


def test_answers_with_an_inference_id():
    given = {"JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    association = Association.of(given, "text/csv", by_line=True, stamped_at="2022-08-30T00:49:15Z")
    rows = association.finish(Batch(b"1,2\n"), b"a", "text/csv").decode().splitlines()
    first, last, inference_id, moment = rows[0].split(",")
    assert (first, last, str(uuid.UUID(inference_id)), moment) == ("1", "a", inference_id, "2022-08-30T00:49:15Z")


@pytest.mark.parametrize(("answer", "expected"), [(b'{"a": 1}', {"a": 1}), (b"2", {"SageMakerOutput": 2})])
def test_a_json_answer_with_an_inference_id(answer, expected):
    association = Association.of({}, "application/json", by_line=False, stamped_at="2022-08-30T00:49:15Z")
    stored = json.loads(association.finish(Batch(b"[1]"), answer, "application/json"))
    assert uuid.UUID(stored.pop("SageMakerInferenceId"))
    assert stored == {**expected, "SageMakerInferenceTime": "2022-08-30T00:49:15Z"}
