"""Previews of objects: what is shown of each kind, and how little of it is read."""

from __future__ import annotations

import base64
import io
import tarfile

import pytest

from tests.integration.small_pipelines import BUCKET, Runner
from tests.studio.servers import Server

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def put(runner: Runner, key: str, body: bytes) -> str:
    runner.s3.put_object(Bucket=BUCKET, Key=f"preview/{key}", Body=body)
    return f"/s3/{BUCKET}/object?key=preview/{key}"


def test_parquet_is_a_table(studio: Server, runner: Runner) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    buffer = io.BytesIO()
    table = pyarrow.table({"delay": list(range(5000)), "carrier": ["<b>AA</b>"] * 5000, "wide": ["y" * 300] * 5000})
    parquet.write_table(table, buffer, row_group_size=1000)
    answer = studio.get(put(runner, "table.parquet", buffer.getvalue()))
    assert "delay carrier wide 0 <b>AA</b>" in answer.words
    assert "<b>AA</b>" not in answer.text
    assert "The first 100 of 5,000 rows." in answer.words
    assert f"{'y' * 120}…" in answer.words, "what is cut says so"


def test_what_is_no_parquet_is_said_so(studio: Server, runner: Runner) -> None:
    pytest.importorskip("pyarrow")
    answer = studio.get(put(runner, "broken.parquet", b"not parquet at all"))
    assert answer.status == 200
    assert "Not a parquet file that can be read" in answer.words


def test_a_picture_is_shown_and_cannot_run(studio: Server, runner: Runner) -> None:
    answer = studio.get(put(runner, "plot.png", PIXEL))
    assert (
        f'<img class="picture" src="/s3/{BUCKET}/raw?key=preview%2Fplot.png&amp;inline=1" alt="plot.png">'
        in answer.text
    )
    raw = studio.get(f"/s3/{BUCKET}/raw?key=preview/plot.png&inline=1")
    assert raw.headers["content-type"] == "image/png"
    assert raw.headers["content-disposition"].startswith("inline")
    assert raw.headers["content-security-policy"].startswith("sandbox")


def test_a_picture_that_carries_scripts_is_only_text(studio: Server, runner: Runner) -> None:
    page = put(runner, "evil.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    assert "<script>alert" not in studio.get(page).text
    raw = studio.get(f"/s3/{BUCKET}/raw?key=preview/evil.svg&inline=1")
    assert raw.headers["content-disposition"].startswith("attachment")
    assert raw.headers["content-type"] == "application/octet-stream"


def test_an_archive_lists_its_members(studio: Server, runner: Runner) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("model/<i>weights</i>")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    assert "model/<i>weights</i> 3" in studio.get(put(runner, "model.tar.gz", buffer.getvalue())).words


def test_a_binary_file_is_said_so(studio: Server, runner: Runner) -> None:
    assert "A binary file" in studio.get(put(runner, "data.bin", bytes(range(256)))).words


def test_a_folder_of_many_is_paged(studio: Server, runner: Runner) -> None:
    for number in range(205):
        runner.s3.put_object(Bucket=BUCKET, Key=f"many/{number:03}", Body=b"")
    first = studio.get(f"/s3/{BUCKET}?prefix=many/")
    assert "199" in first.words
    assert "200" not in first.words.split("Modified")[1]
    assert "204" in studio.get(f"/s3/{BUCKET}?prefix=many/&after=many/199").words
