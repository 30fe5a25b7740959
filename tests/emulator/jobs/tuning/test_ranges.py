import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.jobs.tuning.ranges import Choice, Number, RangeError, read_ranges


def number(kind, low, high, scale="Linear"):
    item = {"Name": "n", "MinValue": str(low), "MaxValue": str(high), "ScalingType": scale}
    return read_ranges({f"{kind}ParameterRanges": [item]})[0]


places = st.floats(0, 1)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), places)
def test_a_linear_value_lies_within_its_bounds_and_is_found_again(one, other, place):
    low, high = sorted((one, other))
    parameter = number("Continuous", low, high)
    value = parameter.at(place)
    assert low <= float(value) <= high
    found = parameter.place(value)
    assert found is not None
    if high - low > 1e-3:
        assert math.isclose(found, place, abs_tol=1e-6)


@given(st.floats(1e-6, 1e3), st.floats(1.1, 1e6), places)
def test_the_middle_of_a_logarithmic_range_is_its_geometric_mean(low, ratio, place):
    parameter = number("Continuous", low, low * ratio, "Logarithmic")
    assert math.isclose(float(parameter.at(0.5)), low * math.sqrt(ratio), rel_tol=1e-6)
    assert math.isclose(parameter.place(parameter.at(place)), place, abs_tol=1e-6)


@given(st.integers(-50, 50), st.integers(0, 50), places)
def test_integers_are_whole(low, width, place):
    text = number("Integer", low, low + width).at(place)
    assert low <= int(text) <= low + width


def test_a_reversed_range_is_fine_near_one():
    parameter = number("Continuous", 0.9, 0.999, "ReverseLogarithmic")
    assert math.isclose(float(parameter.at(0.5)), 0.99, rel_tol=1e-6)


def test_auto_is_logarithmic_only_for_wide_positive_ranges():
    assert number("Continuous", 0.0001, 1, "Auto").scale == "Logarithmic"
    assert number("Continuous", 0.1, 1, "Auto").scale == "Linear"
    assert number("Continuous", -1000, 1000, "Auto").scale == "Linear"


@pytest.mark.parametrize(
    ("hint", "low", "high", "integer"),
    [("0.1", 0.01, 1.0, False), ("6", 1, 60, True), ("0", 0, 1, True), ("-5", -50, -1, True)],
)
def test_a_hint_makes_a_range_around_it(hint, low, high, integer):
    made = read_ranges({"AutoParameters": [{"Name": "a", "ValueHint": hint}]})[0]
    assert isinstance(made, Number)
    assert (made.low, made.high, made.integer) == (pytest.approx(low), pytest.approx(high), integer)
    assert made.place(hint) is not None


def test_a_hint_that_is_no_number_is_the_only_choice():
    assert read_ranges({"AutoParameters": [{"Name": "a", "ValueHint": "sgd"}]}) == [Choice("a", ("sgd",))]


@pytest.mark.parametrize(
    ("kind", "low", "high", "scale", "message"),
    [
        ("Integer", 5, 4, "Linear", "must not be greater"),
        ("Integer", 1.5, 4, "Linear", "must be integers"),
        ("Continuous", "a", 4, "Linear", "must be numbers"),
        ("Continuous", "nan", 4, "Linear", "must not be greater"),
        ("Continuous", 0, 4, "Logarithmic", "greater than 0"),
        ("Continuous", 0, 1, "ReverseLogarithmic", "0 <= x < 1"),
        ("Integer", 0, 0, "ReverseLogarithmic", "0 <= x < 1"),
    ],
)
def test_a_range_that_cannot_be(kind, low, high, scale, message):
    with pytest.raises(RangeError, match=message):
        number(kind, low, high, scale)


def test_a_hyperparameter_has_one_range():
    item = {"Name": "n", "Values": ["1"]}
    with pytest.raises(RangeError, match="n has more than one range"):
        read_ranges({"CategoricalParameterRanges": [item, item]})
