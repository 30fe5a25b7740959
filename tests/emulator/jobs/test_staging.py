import json

import pytest

from emulator.jobs.failures import JobFailure
from emulator.jobs.plan import Host, Input, Source, overlap
from emulator.jobs.staging import Stage, nested, resolve
from emulator.store.objects import ObjectStore
from emulator.store.resources import Scope

SCOPE = Scope("123456789012", "us-east-1")


@pytest.fixture
def objects(tmp_path):
    store = ObjectStore(tmp_path / "objects")
    store.create_bucket(SCOPE, "data")
    yield store
    store.close()


def names(objects, uri, data_type="S3Prefix"):
    return {stored.key: relative for stored, relative in resolve(objects, Source(uri, data_type))}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://data/train/", {"train/a": "a", "train/d/b": "d/b"}),
        ("s3://data/train", {"train/a": "a", "train/d/b": "d/b", "train-2/c": "train-2/c"}),
        ("s3://data/train-", {"train-2/c": "train-2/c"}),
        ("s3://data/train/d/b", {"train/d/b": "b"}),
        ("s3://data/train/a", {"train/a": "a"}),
        ("s3://data/tr", {"train/a": "train/a", "train/d/b": "train/d/b", "train-2/c": "train-2/c"}),
        ("s3://data", {"train/a": "train/a", "train/d/b": "train/d/b", "train-2/c": "train-2/c"}),
        ("s3://data/other", {}),
        ("s3://absent/other", {}),
    ],
)
def test_a_prefix_means_every_key_that_starts_with_it(objects, uri, expected):
    for key in ("train/", "train/a", "train/d/b", "train-2/c"):
        objects.put_bytes("data", key, b"" if key.endswith("/") else b"x")
    assert names(objects, uri) == expected


@pytest.mark.parametrize("key", ["p/../../etc/passwd", "p//etc/passwd", "p/a/../b", "p/.."])
def test_keys_that_lead_out_of_the_folder_are_refused(objects, key):
    objects.put_bytes("data", key, b"x")
    with pytest.raises(JobFailure, match=r"^ClientError: Data download failed:.*leads out"):
        names(objects, "s3://data/p/")


def stage(objects, tmp_path):
    return Stage(objects, "us-east-1", tmp_path / "ml", tmp_path / "farms")


def plan(*inputs):
    from emulator.jobs.plan import Command, Plan

    return Plan("image", Command(None, None), {}, "role", list(inputs))


def test_a_key_that_is_a_file_and_a_folder_fails_by_name(objects, tmp_path):
    objects.put_bytes("data", "p/a", b"x")
    objects.put_bytes("data", "p/a/b", b"x")
    with pytest.raises(JobFailure, match=r"s3://data/p/a/b cannot be a file: another object takes"):
        stage(objects, tmp_path).lay_out(plan(Input("in", Source("s3://data/p/"), "/opt/ml/input/data/in")))


def test_few_small_files_are_copied_and_others_mounted(objects, tmp_path):
    objects.put_bytes("data", "code/a/script.py", b"pass")
    objects.put_bytes("data", "large/rows.csv", b"x" * 300_000)
    for number in range(9):
        objects.put_bytes("data", f"many/{number}", b"x")
    inputs = [
        Input(name, Source(f"s3://data/{name}/"), f"/opt/ml/input/data/{name}") for name in ("code", "large", "many")
    ]
    mounts = stage(objects, tmp_path).lay_out(plan(*inputs))
    script = tmp_path / "ml/input/data/code/a/script.py"
    script.write_text("changed by the job")
    assert objects.read("data", "code/a/script.py") == b"pass"
    assert {mount.target: len(list(mount.source.iterdir())) for mount in mounts} == {
        "/opt/ml/input/data/large": 1,
        "/opt/ml/input/data/many": 9,
    }


def test_shards_are_disjoint_and_complete(objects, tmp_path):
    for number in range(7):
        objects.put_bytes("data", f"p/{number}", b"x")
    item = Input("in", Source("s3://data/p/", distribution="ShardedByS3Key"), "/opt/ml/input/data/in")
    names = ("algo-1", "algo-2", "algo-3")
    shards = [
        {relative for _, relative in stage(objects, tmp_path).select(item, Host(name, index, names), "role")}
        for index, name in enumerate(names)
    ]
    assert sorted(len(shard) for shard in shards) == [2, 2, 3]
    assert set.union(*shards) == {str(number) for number in range(7)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not JSON"),
        (b"{}", "is not a JSON list"),
        (b'[{"prefix": "s3://data/"}, 5]', "has an entry that is no key: 5"),
        (b'[{"prefix": "s3://data/"}, "absent"]', "The specified key does not exist"),
        (b'[{"prefix": "s3://data/"}, "../m"]', "The specified key does not exist"),
    ],
)
def test_a_bad_manifest_fails_by_name(objects, tmp_path, content, reason):
    objects.put_bytes("data", "m", content)
    item = Input("in", Source("s3://data/m", "ManifestFile"), "/opt/ml/input/data/in")
    with pytest.raises(JobFailure, match=reason):
        stage(objects, tmp_path).lay_out(plan(item))


def test_a_manifest_lists_keys_below_its_prefix(objects):
    objects.put_bytes("data", "p/a", b"")
    objects.put_bytes("data", "p/d/b", b"")
    objects.put_bytes("data", "m", json.dumps([{"prefix": "s3://data/p/"}, "a", "d/b", "a"]).encode())
    assert names(objects, "s3://data/m", "ManifestFile") == {"p/a": "a", "p/d/b": "d/b"}


def test_inputs_are_grouped_by_the_outermost_folder():
    def item(path):
        return Input(path, Source("s3://b/k"), f"/opt/ml/processing/{path}")

    groups = nested([item("a/b/c"), item("a"), item("ab"), item("a/d")])
    assert [[i.name for i in group] for group in groups] == [["a", "a/d", "a/b/c"], ["ab"]]


def test_overlap_is_about_folders_not_names():
    assert overlap("/opt/ml/a", "/opt/ml/a/b")
    assert not overlap("/opt/ml/a", "/opt/ml/ab")
