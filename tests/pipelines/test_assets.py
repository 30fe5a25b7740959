import json

import pytest

from pipelines.assets import AssetGroups, clean_content, strip_root
from pipelines.errors import BuildError

BUCKET = "bucket"


def groups(uploads: dict[str, bytes]) -> AssetGroups:
    return AssetGroups("p", BUCKET, {(BUCKET, key): content for key, content in uploads.items()}, "/checkout")


def rewrite_uri(uploads: dict[str, bytes], uri: str) -> str:
    text: str = groups(uploads).rewrite({"S3Uri": uri})["S3Uri"]
    return text


def test_a_folder_and_a_file_get_names_of_their_content() -> None:
    uploads = {"x-2026-01-01-00-00-00/code/a.py": b"a", "p/code/1234/run.sh": b"b"}
    found = groups(uploads)
    result = found.rewrite(
        [{"S3Uri": f"s3://{BUCKET}/x-2026-01-01-00-00-00/code"}, {"S3Uri": f"s3://{BUCKET}/p/code/1234/run.sh"}]
    )
    folder, file = (item["S3Uri"] for item in result)
    assert folder.startswith(f"s3://{BUCKET}/p/assets/")
    assert folder.endswith("/code")
    assert file.endswith("/run.sh")
    assert {asset.key: asset.content for asset in found.assets.values()} == {
        f"{folder.removeprefix(f's3://{BUCKET}/')}/a.py": b"a",
        file.removeprefix(f"s3://{BUCKET}/"): b"b",
    }


def test_the_time_in_a_prefix_does_not_matter_but_the_content_does() -> None:
    one = rewrite_uri({"x-1/code/a.py": b"a"}, f"s3://{BUCKET}/x-1/code/")
    two = rewrite_uri({"x-2/code/a.py": b"a"}, f"s3://{BUCKET}/x-2/code/")
    three = rewrite_uri({"x-2/code/a.py": b"b"}, f"s3://{BUCKET}/x-2/code/")
    assert one == two != three
    assert one.endswith("/code/")


def test_a_prefix_above_that_is_written_to_is_left_alone() -> None:
    found = groups({"x/x-1/input/code/a.py": b"a"})
    definition = {"Input": f"s3://{BUCKET}/x/x-1/input/code", "S3OutputPath": f"s3://{BUCKET}/x"}
    assert found.rewrite(definition)["S3OutputPath"] == f"s3://{BUCKET}/x"


def test_an_upload_belongs_to_its_nearest_reference() -> None:
    found = groups({"x/code/a.py": b"a"})
    result = found.rewrite({"Near": f"s3://{BUCKET}/x/code", "Far": f"s3://{BUCKET}/x"})
    assert result["Far"] == f"s3://{BUCKET}/x"
    assert "/assets/" in result["Near"]


def test_uris_within_other_text_are_found() -> None:
    result = groups({"x/source.tar": b"a"}).rewrite({"HyperParameters": {"submit": f'"s3://{BUCKET}/x/source.tar"'}})
    assert result["HyperParameters"]["submit"].startswith(f'"s3://{BUCKET}/p/assets/')
    assert result["HyperParameters"]["submit"].endswith('/source.tar"')


def test_by_products_are_not_assets() -> None:
    with_cache = {"x/code/a.py": b"a", "x/code/__pycache__/a.pyc": b"x"}
    uri = f"s3://{BUCKET}/x/code"
    assert rewrite_uri(with_cache, uri) == rewrite_uri({"x/code/a.py": b"a"}, uri)


def test_what_the_sdk_generates_loses_the_checkout() -> None:
    generated = json.dumps({"source_dir": "/checkout/steps/train", "entry_script": "train.py"}).encode()
    clean = json.loads(clean_content("x/sm_drivers/sourcecode.json", generated, "/checkout"))
    assert clean == {"source_dir": "steps/train", "entry_script": "train.py"}


def test_an_own_file_with_the_path_of_the_checkout_is_refused() -> None:
    with pytest.raises(BuildError, match=r"config.yaml contains the path of this checkout"):
        clean_content("x/code/config.yaml", b"data: /checkout/data", "/checkout")


def test_paths_in_the_definition_become_relative() -> None:
    assert strip_root({"Description": "/checkout/steps/a.py:f"}, "/checkout") == {"Description": "steps/a.py:f"}


def test_an_upload_that_nothing_refers_to_is_refused_rather_than_lost() -> None:
    with pytest.raises(BuildError, match=r"uploaded s3://bucket/x/b.py, and nothing in the definition refers to it"):
        groups({"x/a.py": b"a", "x/b.py": b"b"}).rewrite({"S3Uri": f"s3://{BUCKET}/x/a.py"})
