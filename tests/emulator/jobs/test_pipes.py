"""Pipe mode: programs that read named pipes, epoch by epoch."""

import gzip
import json
import struct

import pytest

from emulator.jobs import recordio
from tests.emulator.jobs.world import BUCKET, IMAGE, channel, outputs, s3_input, s3_output, until

PREFIX = f"s3://{BUCKET}"
PIPE = {"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"}


def algorithm(script):
    return {**PIPE, "ContainerEntrypoint": ["sh", "-c", f"cd $ML/input/data && {script}"]}


def train(world, name, script, *channels, **members):
    world.training(name, "", AlgorithmSpecification=algorithm(script), InputDataConfig=list(channels), **members)


def parts(world, count=3):
    for number in range(count):
        world.put(f"train/{number}", f"part {number}\n".encode())


def frames(data):
    """The records of RecordIO, read by the rule and not by the code under test."""
    position = 0
    while position < len(data):
        magic, length = struct.unpack_from("<II", data, position)
        assert magic == 0xCED7230A
        yield data[position + 8 : position + 8 + length]
        position += 8 + length + (4 - length % 4) % 4
    assert position == len(data)


def augmented(uri, *attributes):
    return channel("train", uri, S3DataType="AugmentedManifestFile", AttributeNames=list(attributes))


def test_each_epoch_has_a_pipe_with_all_objects_in_order_and_an_end(world):
    parts(world)
    train(
        world, "pipe", "cat train_0; echo --; cat train_1; echo --; cat train_2", channel("train", f"{PREFIX}/train/")
    )
    world.trained("pipe")
    once = ["part 0", "part 1", "part 2"]
    assert world.log("Training", "pipe")[:-1] == [*once, "--", *once, "--", *once]


def test_there_are_pipes_instead_of_files(world):
    parts(world)
    script = "ls; test -p train_0 && echo pipe; test -e train || echo no folder; cat train_0 >$ML/model/all; ls"
    train(world, "look", script, channel("train", f"{PREFIX}/train/"))
    world.trained("look")
    assert world.log("Training", "look") == ["train_0", "pipe", "no folder", "train_1"]


def test_a_program_may_stop_reading_early_and_go_on_with_the_next_epoch(world):
    world.put("train/big", b"x" * (1 << 20))
    script = "head -c 3 train_0; echo; head -c 5 train_1; echo; cat train_2 | wc -c"
    train(world, "early", script, channel("train", f"{PREFIX}/train/"))
    world.trained("early")
    assert world.log("Training", "early")[:-1] == ["xxx", "xxxxx", str(1 << 20)]


def test_channels_are_read_at_their_own_pace_and_one_may_never_be(world):
    parts(world)
    world.put("test/t", b"test\n")
    channels = [channel("train", f"{PREFIX}/train/"), channel("test", f"{PREFIX}/test/")]
    channels.append(channel("unread", f"{PREFIX}/test/"))
    train(world, "two", "cat train_0 test_0 train_1 | sort | uniq -c | tr -s ' '", *channels)
    world.trained("two")
    assert world.log("Training", "two")[:-1] == [" 2 part 0", " 2 part 1", " 2 part 2", " 1 test"]
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_a_channel_may_be_of_another_mode_than_the_job(world):
    parts(world)
    channels = [channel("train", f"{PREFIX}/train/"), channel("code", f"{PREFIX}/train/") | {"InputMode": "File"}]
    train(world, "mixed", "ls -F | sort; cat code/1; cat train_0; cat $ML/input/config/inputdataconfig.json", *channels)
    world.trained("mixed")
    lines = world.log("Training", "mixed")
    assert lines[:6] == ["code/", "train_0|", "part 1", "part 0", "part 1", "part 2"]
    modes = {name: config["TrainingInputMode"] for name, config in json.loads(lines[6]).items()}
    assert modes == {"train": "Pipe", "code": "File"}


def test_a_shuffled_channel_has_another_order_in_each_epoch_and_the_same_in_each_job(world):
    parts(world, 20)
    shuffled = channel("train", f"{PREFIX}/train/") | {"ShuffleConfig": {"Seed": 7}}
    for name in ("one", "two"):
        train(world, name, "cat train_0 train_1", shuffled)
        world.trained(name)
    lines = world.log("Training", "one")[:-1]
    assert lines == world.log("Training", "two")[:-1]
    first, second = lines[:20], lines[20:]
    assert sorted(first) == sorted(second) == sorted(f"part {number}" for number in range(20))
    assert first != second
    assert first != sorted(first)


def test_gzip_is_unpacked_on_the_way(world):
    world.put("train/a.gz", gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    world.put("train/b.gz", gzip.compress(b"three\n"))
    train(world, "gz", "cat train_0", channel("train", f"{PREFIX}/train/") | {"CompressionType": "Gzip"})
    world.trained("gz")
    assert world.log("Training", "gz")[:-1] == ["one", "two", "three"]


def test_each_object_becomes_a_record(world):
    contents = [b"", b"1", b"12345678", b"x" * 70_001, struct.pack("<I", 0xCED7230A)]
    for number, content in enumerate(contents):
        world.put(f"train/{number}", content)
    wrapped = channel("train", f"{PREFIX}/train/") | {"RecordWrapperType": "RecordIO"}
    train(world, "records", "cat train_0 > $ML/output/data/x", wrapped, OutputDataConfig=UNPACKED)
    world.trained("records")
    assert list(frames(world.get("models/records/output/data/x"))) == contents


UNPACKED = {"S3OutputPath": f"{PREFIX}/models", "CompressionType": "NONE"}


def test_a_manifest_is_streamed_in_its_own_order(world):
    parts(world)
    world.put("m.json", json.dumps([{"prefix": f"{PREFIX}/train/"}, "2", "0"]).encode())
    train(world, "manifest", "cat train_0", channel("train", f"{PREFIX}/m.json", S3DataType="ManifestFile"))
    world.trained("manifest")
    assert world.log("Training", "manifest")[:-1] == ["part 2", "part 0"]


def test_an_augmented_manifest_gives_its_attributes_in_the_order_asked_for(world):
    world.put("img/cat", b"\x89cat")
    world.put("img/dog", b"\x89dog!")
    lines = [
        {"source-ref": f"{PREFIX}/img/cat", "is-a-cat": 1, "box": {"left": 1, "name": "café"}, "other": "no"},
        {"source-ref": f"{PREFIX}/img/dog", "is-a-cat": 0, "box": {"left": 2, "name": "x"}},
    ]
    world.put("m.jsonl", b"\n".join(json.dumps(line).encode() for line in lines) + b"\n\n")
    wrapped = augmented(f"{PREFIX}/m.jsonl", "is-a-cat", "source-ref", "box") | {"RecordWrapperType": "RecordIO"}
    train(world, "augmented", "cat train_0 > $ML/output/data/x", wrapped, OutputDataConfig=UNPACKED)
    world.trained("augmented")
    records = list(frames(world.get("models/augmented/output/data/x")))
    assert records[:3] == [b"1", b"\x89cat", '{"left":1,"name":"café"}'.encode()]
    assert records[3:] == [b"0", b"\x89dog!", b'{"left":2,"name":"x"}']


def test_an_augmented_manifest_without_wrapping_is_one_stream_and_shuffles_by_line(world):
    world.put("m.jsonl", b"\n".join(json.dumps({"source": f"row {n},", "label": n}).encode() + b"" for n in range(9)))
    shuffled = augmented(f"{PREFIX}/m.jsonl", "source", "label") | {"ShuffleConfig": {"Seed": 3}}
    train(world, "lines", "cat train_0; echo; cat train_1; echo", shuffled)
    world.trained("lines")
    first, second = world.log("Training", "lines")[:2]
    rows = [f"row {n},{n}" for n in range(9)]
    assert first != second
    for line in (first, second):
        assert line != "".join(rows)
        assert all(row in line for row in rows)
        assert len(line) == len("".join(rows))


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"{", "has a line that is not JSON"),
        (b'["a"]', 'has a line that is no JSON object: ["a"]'),
        (b'{"label": 1}', 'has a line without the attribute source-ref: {"label": 1}'),
        (b'{"source-ref": 5, "label": 1}', "the value of source-ref must be an s3:// URI, but it is 5"),
        (b'{"source-ref": "s3://data/absent", "label": 1}', "The specified key does not exist"),
    ],
)
def test_a_bad_augmented_manifest_fails_the_job_by_name(world, manifest, reason):
    world.put("m.jsonl", manifest)
    train(world, "bad", "cat train_0; exit 0", augmented(f"{PREFIX}/m.jsonl", "source-ref", "label"))
    job = world.trained("bad", "Failed")
    assert job["FailureReason"].startswith("ClientError: Data download failed:")
    assert reason in job["FailureReason"]


def test_data_that_is_not_gzip_fails_the_job_even_if_the_program_does_not_mind(world):
    world.put("train/a.gz", gzip.compress(b"one\n"))
    world.put("train/b.gz", b"plain text")
    train(world, "gz", "cat train_0; exit 0", channel("train", f"{PREFIX}/train/") | {"CompressionType": "Gzip"})
    job = world.trained("gz", "Failed")
    assert job["FailureReason"].startswith(
        f"ClientError: Data download failed:{PREFIX}/train/b.gz cannot be decompressed with gzip"
    )


def test_nothing_but_a_pipe_is_written_to(world, tmp_path):
    parts(world)
    (tmp_path / "precious").write_text("precious")
    script = f"rm train_0; ln -s {tmp_path}/precious train_0; cat train_0; echo; ls"
    train(world, "link", script, channel("train", f"{PREFIX}/train/"))
    world.trained("link", ("Completed", "Failed"))
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_stopped_job_lets_go_of_its_pipes(world):
    world.put("train/big", b"x" * (1 << 20))
    train(world, "stop", "exec 3<train_0; echo ready; sleep 60", channel("train", f"{PREFIX}/train/"))
    until(lambda: world.log("Training", "stop") == ["ready"])
    world.call("StopTrainingJob", TrainingJobName="stop")
    world.trained("stop", "Stopped")
    until(lambda: not list((world.root / "jobs").iterdir()))


def test_a_processing_input_is_streamed_beside_its_local_path(world):
    world.put("in/a.gz", gzip.compress(b"one\n"))
    world.put("in/b.gz", gzip.compress(b"two\n"))
    source = s3_input("in", f"{PREFIX}/in/", "/opt/ml/processing/in/x", S3InputMode="Pipe", S3CompressionType="Gzip")
    world.processing(
        "stream",
        "cat $ML/processing/in/x_0 > $ML/processing/out/all; cat $ML/processing/in/x_1",
        ProcessingInputs=[source],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/result")),
    )
    world.processed("stream")
    assert world.get("result/all") == b"one\ntwo\n"
    assert world.log("Processing", "stream") == ["one", "two"]


def test_an_object_too_large_for_a_record_fails_by_name(world, monkeypatch):
    monkeypatch.setattr(recordio, "MAX_LENGTH", 1000)
    world.put("train/a", b"x" * 1000)
    world.put("train/b", b"x" * 1001)
    for name, compression in (("plain", "None"), ("gz", "Gzip")):
        if compression == "Gzip":
            for key in ("a", "b"):
                world.put(f"train/{key}", gzip.compress(world.get(f"train/{key}")))
        wrapped = channel("train", f"{PREFIX}/train/") | {
            "RecordWrapperType": "RecordIO",
            "CompressionType": compression,
        }
        train(world, name, "cat train_0 | wc -c", wrapped)
        reason = world.trained(name, "Failed")["FailureReason"]
        assert f"{PREFIX}/train/b is too large for a record of RecordIO" in reason


def test_shuffled_shards_are_dealt_to_the_hosts_anew_in_each_epoch(world):
    parts(world, 16)
    sharded = channel("train", f"{PREFIX}/train/", S3DataDistributionType="ShardedByS3Key")
    sharded |= {"ShuffleConfig": {"Seed": 5}}
    resources = {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    script = 'name=$(basename $(dirname $ML)); for e in 0 1; do sed "s/^/$name $e /" train_$e; done'
    train(world, "shards", script, sharded, ResourceConfig=resources)
    world.trained("shards")
    dealt = {}
    for line in world.log("Training", "shards"):
        if line.startswith("algo"):
            host, epoch, part = line.split(" ", 2)
            dealt.setdefault((host, epoch), set()).add(part)
    assert {key: len(parts) for key, parts in dealt.items()} == dict.fromkeys(
        [("algo-1", "0"), ("algo-2", "0"), ("algo-1", "1"), ("algo-2", "1")], 8
    )
    for epoch in ("0", "1"):
        assert not dealt["algo-1", epoch] & dealt["algo-2", epoch]
    assert dealt["algo-1", "0"] != dealt["algo-1", "1"]


def test_a_damaged_stream_fails_a_processing_job_and_nothing_of_it_is_stored(world):
    world.put("in/a.gz", b"plain")
    source = s3_input("in", f"{PREFIX}/in/", "/opt/ml/processing/x", S3InputMode="Pipe", S3CompressionType="Gzip")
    world.processing(
        "damaged",
        "cat $ML/processing/x_0 > $ML/processing/out/all; exit 0",
        ProcessingInputs=[source],
        ProcessingOutputConfig=outputs(s3_output("out", "/opt/ml/processing/out", f"{PREFIX}/result")),
    )
    reason = world.processed("damaged", "Failed")["FailureReason"]
    assert reason.startswith(f"ClientError: Data download failed:{PREFIX}/in/a.gz cannot be decompressed with gzip")
    assert world.keys("result") == []


def test_a_channel_that_stands_where_a_pipe_is_to_be_fails_the_job_by_name(world):
    parts(world)
    channels = [channel("train", f"{PREFIX}/train/"), channel("train_0", f"{PREFIX}/train/") | {"InputMode": "File"}]
    train(world, "clash", "true", *channels)
    assert world.trained("clash", "Failed")["FailureReason"].startswith("ClientError: File exists: ")
