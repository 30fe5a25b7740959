import io
import tarfile

from pipelines.archives import member_contents, normalize_archive


def archive(files: list[tuple[str, bytes]], *, mtime: int, uid: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.uid, member.uname = len(content), mtime, uid, f"user{uid}"
            member.mode = 0o700 if name.endswith(".sh") else 0o640
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def test_order_time_and_owner_do_not_matter() -> None:
    one = archive([("a.py", b"a"), ("b.sh", b"b")], mtime=1, uid=0)
    two = archive([("b.sh", b"b"), ("a.py", b"a")], mtime=2_000_000_000, uid=1000)
    assert one != two
    assert normalize_archive(one) == normalize_archive(two)


def test_content_and_executable_bit_are_kept() -> None:
    plain = normalize_archive(archive([("a.py", b"a"), ("b.sh", b"b")], mtime=5, uid=7))
    assert member_contents(plain) == {"a.py": b"a", "b.sh": b"b"}
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        modes = {member.name: member.mode for member in tar.getmembers()}
    assert modes == {"a.py": 0o644, "b.sh": 0o755}


def test_by_products_are_left_out() -> None:
    packed = archive([("a.py", b"a"), ("__pycache__/a.pyc", b"x"), ("b.pyc", b"x")], mtime=1, uid=0)
    assert member_contents(normalize_archive(packed)) == {"a.py": b"a"}
