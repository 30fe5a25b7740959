"""What a tuning job takes over from its parents."""

from types import SimpleNamespace

import pytest

from emulator.aws.errors import ValidationException
from emulator.jobs.tuning.definition import Definition
from emulator.jobs.tuning.trials import note, settle
from emulator.jobs.tuning.turn import INHERITED, KIND
from emulator.services.sagemaker.tuning_requests import inherited
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Resource, Resources, Scope

SCOPE = Scope("123456789012", "us-east-1")
X = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "10"}]}
X_AND_MODE = {**X, "CategoricalParameterRanges": [{"Name": "mode", "Values": ["a", "b"]}]}


@pytest.fixture
def parents(tmp_path):
    """Makes a parent that has ended, of trials with values and objectives; the context that knows them."""
    database = Database(tmp_path / "state.db", SCHEMA)
    resources = Resources(database)

    def parent(name, trials, static=None, status="Completed"):
        body = {
            "HyperParameterTuningJobConfig": {},
            "TrainingJobDefinition": {"StaticHyperParameters": static or {}, "AlgorithmSpecification": {}},
        }
        tuning = Resource(SCOPE, KIND, name, f"arn:{name}", body, status=status)
        resources.insert(tuning)
        for number, (values, objective) in enumerate(trials):
            outcome = {"Status": "Completed", "Objective": objective}
            settle(resources, note(resources, tuning, number, 0, values), outcome)

    yield parent, SimpleNamespace(app=SimpleNamespace(resources=resources), scope=SCOPE)
    database.close()


def warm_start(*names, kind="TransferLearning"):
    parents = [{"HyperParameterTuningJobName": name} for name in names]
    return {"ParentHyperParameterTuningJobs": parents, "WarmStartType": kind}


def definition(ranges, static=None):
    objective = {"Type": "Maximize", "MetricName": "score"}
    config = {"ParameterRanges": ranges, "HyperParameterTuningJobObjective": objective}
    return Definition({"StaticHyperParameters": static or {}, "AlgorithmSpecification": {}}, config)


def known(context, *definitions, parents):
    found = inherited(warm_start(*parents), definitions, context)[INHERITED]
    return [[(trial["Values"], trial["Objective"]) for trial in found[str(n)]] for n in range(len(definitions))]


def test_jobs_within_the_new_ranges_are_known(parents):
    parent, context = parents
    parent("one", [({"x": "1.0"}, 0.5), ({"x": "11.0"}, 0.9), ({"x": "2.0"}, None)])
    parent("two", [({"x": "3.0"}, 0.25)])
    assert known(context, definition(X), parents=["one", "two"]) == [[({"x": "1.0"}, 0.5), ({"x": "3.0"}, 0.25)]]


def test_what_was_fixed_may_be_tuned_and_what_was_tuned_may_be_fixed(parents):
    parent, context = parents
    parent("fixed", [({"x": "1.0"}, 0.5)], static={"mode": "a"})
    parent("tuned", [({"x": "2.0", "mode": "b"}, 0.75), ({"x": "3.0", "mode": "c"}, 0.8)])
    both, one = definition(X_AND_MODE), definition(X, static={"mode": "a"})
    assert known(context, both, one, parents=["fixed", "tuned"]) == [
        [({"x": "1.0", "mode": "a"}, 0.5), ({"x": "2.0", "mode": "b"}, 0.75)],
        [({"x": "1.0"}, 0.5), ({"x": "2.0"}, 0.75), ({"x": "3.0"}, 0.8)],
    ]


def test_a_parent_that_runs_is_none(parents):
    parent, context = parents
    parent("busy", [], status="InProgress")
    with pytest.raises(ValidationException, match="busy is in status InProgress"):
        inherited(warm_start("busy"), [definition(X)], context)
