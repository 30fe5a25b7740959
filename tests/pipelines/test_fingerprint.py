from pathlib import Path

from pipelines.fingerprint import hash_contents, hash_folder, is_ignored, source_files


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_same_content_elsewhere_has_the_same_hash(tmp_path: Path) -> None:
    one = make(tmp_path / "one", {"b/c.txt": "c", "a.txt": "a"})
    two = make(tmp_path / "far" / "two", {"a.txt": "a", "b/c.txt": "c"})
    assert hash_folder(one) == hash_folder(two)


def test_content_name_and_executable_bit_count(tmp_path: Path) -> None:
    base = hash_folder(make(tmp_path / "base", {"a.sh": "a"}))
    assert hash_folder(make(tmp_path / "content", {"a.sh": "b"})) != base
    assert hash_folder(make(tmp_path / "name", {"b.sh": "a"})) != base
    executable = make(tmp_path / "executable", {"a.sh": "a"})
    (executable / "a.sh").chmod(0o755)
    assert hash_folder(executable) != base


def test_by_products_do_not_count(tmp_path: Path) -> None:
    folder = make(tmp_path / "x", {"a.py": "a"})
    before = hash_folder(folder)
    make(folder, {"__pycache__/a.cpython-311.pyc": "x", ".DS_Store": "x", "a.py~": "x"})
    assert hash_folder(folder) == before
    assert [name for name, _ in source_files(folder)] == ["a.py"]


def test_names_and_contents_cannot_be_confused() -> None:
    assert hash_contents({"a": b"b", "c": b""}) != hash_contents({"a": b"", "c": b"b"})


def test_ignored_names() -> None:
    assert is_ignored("__pycache__")
    assert is_ignored("x.pyc")
    assert not is_ignored("pycache.py")
