from pathlib import Path

import pytest

from emulator.launchers.redirection import Redirection

REDIRECTION = Redirection({"/opt/ml": Path("/j/ml"), "/opt/ml/input/x": Path("/in"), "/opt/program": Path("/p")})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/opt/ml", "/j/ml"),
        ("/opt/ml/model/m", "/j/ml/model/m"),
        ("'/opt/ml/model'", "'/j/ml/model'"),
        ("--out=/opt/ml/model:/opt/program", "--out=/j/ml/model:/p"),
        ("file:///opt/ml/a", "file:///opt/ml/a"),
        ("/opt/ml/input/x/a", "/in/a"),
        ("/opt/ml/input/xy", "/j/ml/input/xy"),
        ("/opt/mlflow", "/opt/mlflow"),
        ("/home/opt/ml", "/home/opt/ml"),
        ("s3://bucket/opt/ml", "s3://bucket/opt/ml"),
        ("chmod +x /opt/ml/a.sh && /opt/ml/a.sh", "chmod +x /j/ml/a.sh && /j/ml/a.sh"),
    ],
)
def test_text(before, after):
    assert REDIRECTION.text(before) == after


def test_without_paths_nothing_changes():
    assert Redirection({}).text("/opt/ml") == "/opt/ml"


def test_files(tmp_path):
    for name in ("a.py", "below/b.json", "c.csv", "d.bin"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\xff /opt/ml/x")
    (tmp_path / "big.txt").write_text("/opt/ml" + " " * (1 << 20))
    (tmp_path / "link.py").symlink_to("/nonexistent")
    REDIRECTION.files(tmp_path)
    changed = {path.name for path in tmp_path.rglob("*") if path.is_file() and b"/j/ml/x" in path.read_bytes()}
    assert changed == {"a.py", "b.json"}
    assert (tmp_path / "a.py").read_bytes() == b"\xff /j/ml/x"
