import pytest

from pipelines.definition import Parameter
from pipelines.errors import ParameterError
from pipelines.parameters import check_parameters

KNOWN = [
    Parameter("Depth", "Integer", 4),
    Parameter("MinAuc", "Float", 0.5),
    Parameter("Dry", "Boolean", False),
    Parameter("Approval", "String", "Pending", ("Pending", "Approved")),
    Parameter("Folds", "Integer", 3, (3, 5)),
]


def test_values_are_sent_as_text() -> None:
    given = ["Depth=5", "MinAuc=.7", "Dry=TRUE", "Approval=Approved", "Folds=5"]
    assert check_parameters(given, KNOWN, "p") == [
        {"Name": "Depth", "Value": "5"},
        {"Name": "MinAuc", "Value": ".7"},
        {"Name": "Dry", "Value": "TRUE"},
        {"Name": "Approval", "Value": "Approved"},
        {"Name": "Folds", "Value": "5"},
    ]


def test_a_value_may_hold_an_equals_sign() -> None:
    assert check_parameters(["Q=a=b"], [Parameter("Q", "String", "")], "p") == [{"Name": "Q", "Value": "a=b"}]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Dept=5", r"Pipeline p has no parameter 'Dept'. Did you mean 'Depth'\? Known: Approval, Depth"),
        ("Depth=5.5", r"Parameter Depth of pipeline p is of type Integer .*'5.5' is not"),
        ("MinAuc=high", r"of type Float \(a number"),
        ("Dry=yes", r"of type Boolean \(true or false\), which 'yes' is not"),
        ("Approval=No", r"is one of Pending, Approved, which 'No' is not"),
        ("Folds=4", r"is one of 3, 5, which '4' is not"),
        ("Depth", r"-p Depth is not of the form NAME=VALUE"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_starts(given: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        check_parameters([given], KNOWN, "p")


def test_a_value_without_default_must_be_given() -> None:
    with pytest.raises(ParameterError, match="add -p Date=…"):
        check_parameters([], [Parameter("Date", "String")], "p")
