from pathlib import Path

import pytest

from pipelines.environments import environment_names, load_target
from pipelines.errors import EnvironmentsFileError, UsageError

GOOD = """\
[local]
account = "123456789012"
region = "us-east-1"
role = "arn:aws:iam::123456789012:role/R"
bucket = "some-bucket"
"""


def write(root: Path, text: str) -> Path:
    (root / "pipelines").mkdir()
    (root / "pipelines" / "environments.toml").write_text(text)
    return root


def test_the_shipped_file_is_right() -> None:
    root = Path(__file__).parents[2]
    assert environment_names(root)[0] == "local"
    for name in environment_names(root):
        assert load_target(root, name).environment.name == name


def test_an_environment_without_a_command_is_aws(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, GOOD), "local")
    assert target.endpoint.command == ()
    assert target.environment.bucket == "some-bucket"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"123456789012"\nregion',
            '"12345"\nregion',
            r"environments.toml:2: \[local\] account = '12345'.*twelve",
        ),
        ('account = "123456789012"', "account = 123456789012", r"environments.toml:2: \[local\] account"),
        ('"us-east-1"', '"Virginia"', r"environments.toml:3: \[local\] region"),
        ('"arn:aws:iam::123456789012:role/R"', '"R"', r"environments.toml:4: \[local\] role = 'R' is not the full ARN"),
        (
            "bucket =",
            "buckett =",
            r"environments.toml:5: \[local\] has an unknown key.*Did you mean 'bucket'",
        ),
        ('bucket = "some-bucket"\n', "", r"environments.toml:1: \[local\] has no 'bucket'"),
        ('bucket = "some-bucket"', "bucket = some-bucket", r"not valid TOML: .*line 5"),
        ("[local]\n", "", r"environments.toml:1: 'account' stands outside"),
        ("bucket =", 'stop_command = "emulator stop"\nbucket =', r"environments.toml:5: \[local\] stop_command"),
        ("bucket =", 'kms_key = "mine"\nbucket =', r"environments.toml:5: \[local\] kms_key = 'mine' is not an ARN"),
        ("bucket =", 'subnets = ["x"]\nbucket =', r"environments.toml:5: \[local\] subnets"),
        ("bucket =", "parallelism = 0\nbucket =", r"environments.toml:5: \[local\] parallelism = 0 is not a number"),
        ("bucket =", 'suffix = "_x"\nbucket =', r"environments.toml:5: \[local\] suffix"),
        ("bucket =", "tags = { a = 1 }\nbucket =", r"environments.toml:5: \[local\] tags"),
        (
            "bucket =",
            'subnets = ["subnet-0123456789abcdef0"]\nbucket =',
            r"environments.toml:5: \[local\] subnets and security_groups go together",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(EnvironmentsFileError, match=message):
        load_target(write(tmp_path, GOOD.replace(old, new)), "local")


def test_a_mistake_in_the_second_table_has_its_own_line(tmp_path: Path) -> None:
    text = GOOD + GOOD.replace("[local]", "[dev]").replace('"us-east-1"', '"nowhere"')
    root = write(tmp_path, text)
    assert load_target(root, "local").environment.region == "us-east-1"
    with pytest.raises(EnvironmentsFileError, match=r"environments.toml:8: \[dev\] region"):
        load_target(root, "dev")


def test_an_unknown_environment_names_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no environment 'locl'.*Did you mean 'local'"):
        load_target(write(tmp_path, GOOD), "locl")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentsFileError, match="run this in a checkout"):
        load_target(tmp_path, "local")


def test_settings_reach_the_environment(tmp_path: Path) -> None:
    text = (
        GOOD
        + """\
subnets = ["subnet-0123456789abcdef0"]
security_groups = ["sg-0123456789abcdef0"]
parallelism = 4
suffix = "-next"

[local.tags]
team = "pricing"
[local.parameters]
MaxDepth = 8
"""
    )
    environment = load_target(write(tmp_path, text), "local").environment
    assert environment.subnets == ("subnet-0123456789abcdef0",)
    assert (environment.tags, environment.parameters) == ({"team": "pricing"}, {"MaxDepth": 8})
    assert (environment.parallelism, environment.suffix) == (4, "-next")


def test_a_mistake_in_a_table_of_its_own_has_the_line_of_its_header(tmp_path: Path) -> None:
    root = write(tmp_path, GOOD + "\n[local.tags]\nteam = 1\n")
    with pytest.raises(EnvironmentsFileError, match=r"environments.toml:7: \[local\] tags"):
        load_target(root, "local")
