from pipelines.graph import draw
from tests.pipelines.test_definition import DEFINITION


def test_each_step_stands_under_the_last_that_it_waits_for() -> None:
    assert draw("p", DEFINITION) == [
        "p: 6 steps, 3 parameters",
        "",
        "  Prepare  Processing",
        "  └─ Train  Training",
        "     └─ Evaluate  Processing",
        "        └─ Check  Condition  Evaluate.Report:a.b >= MinAuc",
        "           ├─ if: Register  RegisterModel  (also after Train)",
        "           └─ else: TooLow  Fail",
        "",
        "Parameters",
        "  MinAuc    Float    0.5",
        "  Approval  String   Pending  one of Pending, Approved",
        "  Given     Integer  (must be given)",
    ]


def test_steps_without_dependencies_stand_side_by_side() -> None:
    definition = {"Steps": [{"Name": "A", "Type": "Lambda"}, {"Name": "B", "Type": "Lambda"}]}
    assert draw("p", definition) == ["p: 2 steps, 0 parameters", "", "  A  Lambda", "  B  Lambda"]
