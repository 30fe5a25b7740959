from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.engine.paths import Index, Key, Member, PathError, parse_path, select, show

OUTPUTS = {"Outputs": [{"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}}, {"OutputName": "test"}]}


def test_every_form_of_segment() -> None:
    assert parse_path("a.b[0]['c d'][\"e\"].f-g") == (
        Member("a"),
        Member("b"),
        Index(0),
        Key("c d"),
        Key("e"),
        Member("f-g"),
    )


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("['it's']", "it's"),
        (r"['it\'s']", "it's"),
        (r"['a\b\\']", "a\\b\\"),
        ("['a].b[\"c\"]']", 'a].b["c"]'),
        ("['']", ""),
    ],
)
def test_keys_may_have_anything_in_them(text: str, key: str) -> None:
    assert parse_path(f"a{text}['b']") == (Member("a"), Key(key), Key("b"))


@pytest.mark.parametrize(
    "text", ["a..b", ".", ".a", "a['b']c", "a[", "a[]", "a[x]", "a['b]", "a['b\"]", "a b]", "a.b.", "[-1]"]
)
def test_malformed_paths_are_refused(text: str) -> None:
    with pytest.raises(PathError, match="is not a path"):
        parse_path(text)


@pytest.mark.parametrize("member", ["OutputName", "InputName", "ChannelName", "MetricName", "Name"])
def test_a_key_selects_the_element_of_that_name(member: str) -> None:
    elements = [{member: "a", "V": 1}, {member: "b", "V": 2}]
    assert select({"L": elements}, parse_path("L['b'].V")) == 2


def test_select_walks_objects_and_lists() -> None:
    assert select(OUTPUTS, parse_path("Outputs['train'].S3Output.S3Uri")) == "s3://b/train"
    assert select(OUTPUTS, parse_path("Outputs[1]['OutputName']")) == "test"
    assert select({"a": None}, parse_path("a")) is None
    assert select(7, ()) == 7


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Inputs", "there is no 'Inputs'; there is Outputs"),
        ("Outputs['none']", "no element is named 'none'; there is train, test in Outputs"),
        ("Outputs[2]", "there is no element 2; the list has 2 in Outputs"),
        ("Outputs.train", ".train does not apply to a list in Outputs"),
        ("Outputs[0].OutputName.x", r".x does not apply to a string in Outputs\[0\].OutputName"),
    ],
)
def test_a_path_to_nothing_says_where_it_ends(path: str, reason: str) -> None:
    with pytest.raises(PathError, match=reason):
        select(OUTPUTS, parse_path(path))


names = st.text(st.characters(exclude_characters=".[]'\" \t\r\n", exclude_categories=["Z", "C"]), min_size=1)
segments = st.one_of(
    st.builds(Member, names),
    st.builds(Key, st.text(st.characters(exclude_characters="'"))),
    st.builds(Index, st.integers(0, 999_999)),
)


@example([Key("\\\\")])
@given(st.lists(segments, max_size=8))
def test_a_shown_path_reads_as_itself(path: list[Any]) -> None:
    text = "".join(map(show, path))
    assert parse_path(text.removeprefix(".")) == tuple(path)
