from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.transform.jsonpath import JsonPath, JsonPathError

RECORD = {"id": 7, "features": [1, 2, 3], "deep": {"a b": {"c": "d"}, "list": [{"x": 1}, {"x": 2}]}}
ROW = ["a", "b", "c", "d", "e", "f"]
names = st.text(st.characters(categories=("L", "N"), include_characters="_-"), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$", RECORD),
        ("$.features", [1, 2, 3]),
        ("$['features']", [1, 2, 3]),
        ('$["id"]', 7),
        ("$.features[0]", 1),
        ("$.features[-1]", 3),
        ("$.features[1:]", [2, 3]),
        ("$.deep['a b'].c", "d"),
        ("$.deep.['a b']", {"c": "d"}),
        ("$['id','features']", {"id": 7, "features": [1, 2, 3]}),
        ("$.deep.list[*].x", [1, 2]),
        ("$.deep.list.*", [{"x": 1}, {"x": 2}]),
        ("$.deep.list[0:1].x", [1]),
        ("$.deep['a b'].*", ["d"]),
    ],
)
def test_what_an_expression_selects_of_an_object(expression, expected):
    assert JsonPath(expression)(RECORD) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$[0]", "a"),
        ("$[0,-1]", ["a", "f"]),
        ("$[0,5:]", ["a", "f"]),
        ("$[:2]", ["a", "b"]),
        ("$[1:-1]", ["b", "c", "d", "e"]),
        ("$[ 2 , 1 ]", ["c", "b"]),
        ("$[9:]", []),
    ],
)
def test_what_an_expression_selects_of_a_row(expression, expected):
    assert JsonPath(expression)(ROW) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "a",
        "$a",
        "$.",
        "$..a",
        "$[",
        "$[]",
        "$[a]",
        "$['a",
        "$[1:2:3]",
        "$[?(@.a)]",
        "$['a',1]",
        "$['a','b'].c",
        "$[1]a",
    ],
)
def test_what_is_not_of_the_subset_is_refused(expression):
    with pytest.raises(JsonPathError):
        JsonPath(expression)


@pytest.mark.parametrize("expression", ["$.nothing", "$[0]", "$.features[3]", "$.features[-4]", "$.id.x", "$.id[*]"])
def test_what_the_record_does_not_have_is_an_error(expression):
    with pytest.raises(JsonPathError, match=r"JSONPath"):
        JsonPath(expression)(RECORD)


@given(values)
def test_the_root_is_the_value(value):
    assert JsonPath("$")(value) is value


@given(st.dictionaries(names, values, min_size=1), st.data())
def test_a_name_is_a_member_however_it_is_written(record, data):
    name = data.draw(st.sampled_from(sorted(record)))
    for expression in (f"$.{name}", f"$['{name}']", f'$["{name}"]', f"$.['{name}']"):
        assert JsonPath(expression)(record) is record[name]
    chosen = data.draw(st.lists(st.sampled_from(sorted(record)), min_size=2, unique=True)) if len(record) > 1 else []
    if chosen:
        quoted = ",".join(f"'{item}'" for item in chosen)
        assert JsonPath(f"$[{quoted}]")(record) == {item: record[item] for item in chosen}


bounds = st.none() | st.integers(-8, 8)


@given(st.lists(values, max_size=6), bounds, bounds)
def test_a_slice_is_pythons(items, start, end):
    text = f"$[{'' if start is None else start}:{'' if end is None else end}]"
    assert JsonPath(text)(items) == items[start:end]


@given(st.lists(values, min_size=1, max_size=6), st.data())
def test_places_are_elements_in_the_order_they_are_named(items, data):
    places = data.draw(st.lists(st.integers(-len(items), len(items) - 1), min_size=2, max_size=5))
    assert JsonPath(f"$[{','.join(map(str, places))}]")(items) == [items[place] for place in places]


@given(st.text(alphabet="$.[]'\"*,:-01ab? ", max_size=12), values)
def test_any_text_is_refused_or_selects_without_breaking(text, value):
    with suppress(JsonPathError):
        JsonPath(text)(value)
