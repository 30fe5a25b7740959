import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.aws.errors import ValidationException
from emulator.store.database import Database
from emulator.store.resources import SCHEMA, Query, Resource, Resources, Scope

HERE = Scope("123456789012", "us-east-1")
ELSEWHERE = Scope("123456789012", "eu-west-1")


@pytest.fixture
def resources(tmp_path):
    database = Database(tmp_path / "state.db", SCHEMA)
    yield Resources(database)
    database.close()


def thing(name, scope=HERE, **members):
    arn = f"arn:aws:sagemaker:{scope.region}:{scope.account}:thing/{name}"
    return Resource(scope, "thing", name, arn, members.pop("body", {}), **members)


def names(page):
    return [resource.name for resource in page[0]]


def test_a_resource_comes_back_as_it_went_in(resources):
    stored = thing("a", body={"Deep": [1, {"x": None}]}, status="InProgress", parent="p", created=5.0, modified=6.0)
    assert resources.insert(stored)
    assert resources.get(HERE, "thing", "a") == stored
    assert resources.by_arn(stored.arn) == stored


def test_a_taken_name_is_refused_and_changes_nothing(resources):
    resources.insert(thing("a", body={"first": True}))
    assert not resources.insert(thing("a", body={"first": False}))
    assert resources.get(HERE, "thing", "a").body == {"first": True}


def test_a_name_is_found_in_any_case_and_keeps_its_own(resources):
    resources.insert(thing("MyJob"))
    assert resources.get(HERE, "thing", "myjob").name == "MyJob"
    assert not resources.insert(thing("MYJOB"))


def test_state_is_kept_per_account_and_region(resources):
    resources.insert(thing("a"))
    resources.insert(thing("a", scope=ELSEWHERE))
    assert names(resources.page(ELSEWHERE, Query("thing"))) == ["a"]
    assert resources.get(Scope("999999999999", "us-east-1"), "thing", "a") is None


def test_an_update_changes_body_and_status_and_moves_the_time(resources):
    stored = thing("a", status="InProgress", created=1.0, modified=1.0)
    resources.insert(stored)

    def finish(resource):
        resource.status = "Completed"
        resource.body["Done"] = True

    resources.update(stored.arn, finish)
    after = resources.by_arn(stored.arn)
    assert (after.status, after.body, after.created) == ("Completed", {"Done": True}, 1.0)
    assert after.modified > 1.0


def test_an_update_that_raises_changes_nothing(resources):
    stored = thing("a", body={"n": 1})
    resources.insert(stored)

    def fail(resource):
        resource.body["n"] = 2
        raise RuntimeError

    with pytest.raises(RuntimeError):
        resources.update(stored.arn, fail)
    assert resources.by_arn(stored.arn).body == {"n": 1}


def test_listeners_hear_of_new_statuses_only(resources):
    heard = []
    resources.subscribe(lambda resource: heard.append(resource.status))
    stored = thing("a", status="InProgress")
    resources.insert(stored)
    resources.update(stored.arn, lambda resource: resource.body.update(x=1))
    resources.update(stored.arn, lambda resource: setattr(resource, "status", "Completed"))
    assert heard == ["InProgress", "Completed"]


@given(
    count=st.integers(0, 25),
    size=st.integers(1, 7),
    descending=st.booleans(),
    sort_by=st.sampled_from(["Name", "CreationTime", "LastModifiedTime", "Status"]),
)
def test_paging_visits_every_resource_once_in_order(tmp_path_factory, count, size, descending, sort_by):
    database = Database(tmp_path_factory.mktemp("db") / "state.db", SCHEMA)
    resources = Resources(database)
    for n in range(count):
        # Equal sort values on purpose: the token must tell rows apart all the same.
        resources.insert(thing(f"n{n:02}", created=float(n // 3), modified=float(-n // 4), status=str(n % 2)))
    seen, token = [], None
    while True:
        query = Query("thing", sort_by=sort_by, descending=descending, max_results=size, next_token=token)
        page, token = resources.page(HERE, query)
        assert len(page) <= size
        seen += page
        if token is None:
            break
    whole, _ = resources.page(HERE, Query("thing", sort_by=sort_by, descending=descending, max_results=1000))
    assert [each.name for each in seen] == [each.name for each in whole]
    assert len(seen) == count
    database.close()


def test_filters_narrow_a_list(resources):
    for n, name in enumerate(["Alpha", "beta", "alphabet"]):
        resources.insert(thing(name, created=float(n), status="S" if n else "T", parent="p" if n == 2 else ""))
    assert names(resources.page(HERE, Query("thing", name_contains="ALPHA"))) == ["alphabet", "Alpha"]
    assert names(resources.page(HERE, Query("thing", status="T"))) == ["Alpha"]
    assert names(resources.page(HERE, Query("thing", parent="p"))) == ["alphabet"]
    assert names(resources.page(HERE, Query("thing", created_after=0.5, created_before=1.5))) == ["beta"]


def test_a_percent_sign_in_a_name_filter_is_only_a_percent_sign(resources):
    resources.insert(thing("a"))
    assert names(resources.page(HERE, Query("thing", name_contains="%"))) == []


@pytest.mark.parametrize(
    "token", ["nonsense", "", "bm9uc2Vuc2U=", "W10=", "W3t9LCAxXQ==", "WzEuMCwgOTk5OTk5OTk5OTk5OTk5OTk5OTld"]
)
def test_a_forged_token_is_a_validation_error(resources, token):
    if token == "":
        assert resources.page(HERE, Query("thing", next_token=token)) == ([], None)
        return
    with pytest.raises(ValidationException, match="pagination token"):
        resources.page(HERE, Query("thing", next_token=token))


def test_tags_are_kept_changed_and_deleted_with_their_resource(resources):
    stored = thing("a")
    resources.insert(stored)
    resources.add_tags(stored.arn, [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "1"}])
    resources.add_tags(stored.arn, [{"Key": "b", "Value": "2"}])
    assert resources.tags(stored.arn) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    resources.delete_tags(stored.arn, ["a"])
    assert resources.tags(stored.arn) == [{"Key": "b", "Value": "2"}]
    assert resources.delete(stored.arn)
    assert resources.tags(stored.arn) == []
    assert not resources.delete(stored.arn)


def test_a_token_of_another_order_is_a_validation_error(resources):
    resources.insert(thing("a"))
    resources.insert(thing("b"))
    for sort, other in (("Name", "CreationTime"), ("CreationTime", "Name")):
        _, token = resources.page(HERE, Query("thing", sort_by=sort, max_results=1))
        with pytest.raises(ValidationException, match="pagination token"):
            resources.page(HERE, Query("thing", sort_by=other, max_results=1, next_token=token))


def test_a_token_is_recalled_with_what_it_made(resources):
    resources.remember_token(HERE, "CreateThing", "t", "request", "arn")
    assert resources.recall_token(HERE, "CreateThing", "t") == ("request", "arn")
    assert resources.recall_token(HERE, "CreateOther", "t") is None
    assert resources.recall_token(ELSEWHERE, "CreateThing", "t") is None
