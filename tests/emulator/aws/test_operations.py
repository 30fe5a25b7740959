import pytest

from emulator.aws import operations


@pytest.fixture(autouse=True)
def own_registry(monkeypatch):
    monkeypatch.setattr(operations, "_OPERATIONS", {})


def test_a_registered_operation_is_found_with_its_properties():
    @operations.operation("sagemaker", "DescribeThing", blocking=True)
    def describe_thing(request, context):
        return {"ThingName": request["ThingName"]}

    found = operations.find("sagemaker", "DescribeThing")
    assert found is not None
    assert found.blocking
    assert found.handler({"ThingName": "a"}, None) == {"ThingName": "a"}


def test_an_operation_that_is_not_there_is_none():
    assert operations.find("sagemaker", "CreateMiracle") is None


def test_registering_twice_is_a_programming_error():
    operations.operation("s3", "GetObject")(lambda request, context: {})
    with pytest.raises(AssertionError, match="registered twice"):
        operations.operation("s3", "GetObject")(lambda request, context: {})


def test_the_list_is_ordered_by_service_and_name():
    for service, name in [("sts", "B"), ("s3", "Z"), ("sts", "A")]:
        operations.operation(service, name)(lambda request, context: {})
    assert [(each.service, each.name) for each in operations.registered()] == [("s3", "Z"), ("sts", "A"), ("sts", "B")]
