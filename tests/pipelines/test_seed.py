from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.build import BuiltPipeline
from pipelines.catalog import PipelineSource
from pipelines.connection import Connection
from pipelines.errors import UsageError
from pipelines.seed import find_seed, is_seeded, upload_seed
from pipelines.storage import ensure_bucket, read_json, stored_sizes

BUCKET = "sagemaker-us-east-1-123456789012"
PREFIX = "tiny/data/"


@dataclass
class Sample:
    """A pipeline with a seed.py of its own module name, as modules are imported once per process."""

    source: PipelineSource

    def write(self, text: str) -> None:
        (self.source.folder / "seed.py").write_text(text)


@pytest.fixture
def sample(project: Path, request: pytest.FixtureRequest) -> Sample:
    folder = project / "pipelines" / f"sample_{abs(hash(request.node.name))}"
    folder.mkdir()
    return Sample(PipelineSource("tiny", folder))


def keys(connection: Connection) -> list[str]:
    return sorted(stored_sizes(connection, BUCKET, PREFIX))


def test_the_data_goes_to_the_default_of_the_parameter(
    sample: Sample, built: BuiltPipeline, connection: Connection
) -> None:
    sample.write(
        "def seed(folder):\n    (folder / 'a.csv').write_text('1')\n    (folder / 'b').mkdir()\n"
        "    (folder / 'b' / 'c.csv').write_text('22')\n"
    )
    seed = find_seed(built)
    assert seed.uri == f"s3://{BUCKET}/{PREFIX}"
    assert not is_seeded(seed, connection)
    sizes = upload_seed(sample.source, seed, connection, lambda line: None)
    assert sizes == {"tiny/data/a.csv": 1, "tiny/data/b/c.csv": 2}
    assert stored_sizes(connection, BUCKET, PREFIX) == sizes
    assert is_seeded(seed, connection)


def test_an_interrupted_seed_is_done_again(sample: Sample, built: BuiltPipeline, connection: Connection) -> None:
    sample.write("def seed(folder):\n    (folder / 'a.csv').write_text('1')\n    (folder / 'z.csv').write_text('1')\n")
    seed = find_seed(built)

    def cut(params: dict[str, str], **_: object) -> None:
        if params["Key"].endswith("z.csv"):
            raise KeyboardInterrupt

    connection.s3.meta.events.register("provide-client-params.s3.PutObject", cut)
    with pytest.raises(KeyboardInterrupt):
        upload_seed(sample.source, seed, connection, lambda line: None)
    assert keys(connection) == ["tiny/data/a.csv"]
    assert not is_seeded(seed, connection)
    connection.s3.meta.events.unregister("provide-client-params.s3.PutObject", cut)
    upload_seed(sample.source, seed, connection, lambda line: None)
    assert is_seeded(seed, connection)


def test_data_of_someone_else_counts_as_there(built: BuiltPipeline, connection: Connection) -> None:
    ensure_bucket(connection, BUCKET, "us-east-1")
    connection.s3.put_object(Bucket=BUCKET, Key="tiny/data/own.csv", Body=b"1")
    assert is_seeded(find_seed(built), connection)


def test_another_seed_removes_what_the_first_put_there_and_nothing_else(
    sample: Sample, built: BuiltPipeline, connection: Connection
) -> None:
    sample.write(
        "import itertools\ncount = itertools.count()\n\n\ndef seed(folder):\n"
        "    (folder / f'{next(count)}.csv').write_text('1')\n"
    )
    seed = find_seed(built)
    upload_seed(sample.source, seed, connection, lambda line: None)
    connection.s3.put_object(Bucket=BUCKET, Key="tiny/data/own.csv", Body=b"1")
    upload_seed(sample.source, seed, connection, lambda line: None)
    assert keys(connection) == ["tiny/data/1.csv", "tiny/data/own.csv"]
    marker = read_json(connection, f"s3://{BUCKET}/{seed.marker}")
    assert marker == {"status": "done", "uri": seed.uri, "keys": ["tiny/data/1.csv"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "has no sample data: .*seed.py with seed.folder. is not there"),
        ("x = 1\n", "has no function seed"),
        ("def seed(folder):\n    pass\n", "wrote no file"),
        ("def seed(folder):\n    raise FileNotFoundError('flights.csv is gone')\n", "seed.py: flights.csv is gone"),
        ("import no_such_module\n", "needs no_such_module, which is not installed"),
    ],
)
def test_a_seed_that_cannot_be_made_is_explained(
    sample: Sample, built: BuiltPipeline, connection: Connection, text: str | None, message: str
) -> None:
    if text is not None:
        sample.write(text)
    with pytest.raises(UsageError, match=message):
        upload_seed(sample.source, find_seed(built), connection, lambda line: None)
