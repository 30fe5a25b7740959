"""A container engine in one file, for machines that have none: it makes an image of a folder's files and pushes it by
docker's registry API. It runs nothing, so of a Dockerfile it only looks whether it is there. Called as ``podman`` is.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import itertools
import json
import os
import sys
import tarfile
from pathlib import Path
from urllib.request import Request, urlopen

STORE = Path(os.environ["SMALL_ENGINE_STORE"])


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def place(reference: str) -> Path:
    return STORE / reference.replace("/", "_")


def build(folder: Path, reference: str) -> None:
    if not (folder / "Dockerfile").is_file():
        sys.exit("no Dockerfile")
    if "fail" in (folder / "Dockerfile").read_text():
        sys.exit("Error: building at STEP 2: exit status 1")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.add(path, path.relative_to(folder).as_posix())
    layer = gzip.compress(packed.getvalue(), mtime=0)
    rootfs = {"type": "layers", "diff_ids": [digest_of(packed.getvalue())]}
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
    place(reference).mkdir(parents=True)
    (place(reference) / "layer").write_bytes(layer)
    (place(reference) / "config").write_bytes(config)


def push(reference: str, login: str) -> None:
    host, _, rest = reference.partition("/")
    name, _, tag = rest.rpartition(":")
    base = f"http://{host}/v2/{name}"
    kind = "application/vnd.docker"
    entries = {}
    for part, media in (("config", "container.image.v1+json"), ("layer", "image.rootfs.diff.tar.gzip")):
        content = (place(reference) / part).read_bytes()
        upload = send("POST", f"{base}/blobs/uploads/", b"", login)
        send("PUT", f"http://{host}{upload}?digest={digest_of(content)}", content, login)
        entries[part] = {"mediaType": f"{kind}.{media}", "size": len(content), "digest": digest_of(content)}
    media = f"{kind}.distribution.manifest.v2+json"
    manifest = {"schemaVersion": 2, "mediaType": media, "config": entries["config"], "layers": [entries["layer"]]}
    send("PUT", f"{base}/manifests/{tag}", json.dumps(manifest).encode(), login, media)


def send(method: str, url: str, body: bytes, login: str, kind: str = "application/octet-stream") -> str:
    """The answer's header ``Location``, or nothing."""
    headers = {"Authorization": f"Basic {login}", "Content-Type": kind}
    with urlopen(Request(url, body, headers, method=method)) as answer:
        return str(answer.headers.get("location", ""))


def main(words: list[str]) -> None:
    print(" ".join(words), file=sys.stderr)
    options = dict(itertools.pairwise(words))
    authfile = Path(options.get("--authfile", STORE / "auth.json"))
    match words:
        case ["info"]:
            pass
        case ["image", "inspect", reference]:
            sys.exit(not place(reference).is_dir())
        case ["build", *_, folder]:
            build(Path(folder), options["--tag"])
        case ["tag", old, new]:
            place(new).unlink(missing_ok=True)
            place(new).symlink_to(place(old))
        case ["login", *_, host]:
            login = base64.b64encode(f"{options['--username']}:{sys.stdin.read()}".encode()).decode()
            send("GET", f"http://{host}/v2/", b"", login)
            authfile.write_text(json.dumps({host: login}))
        case ["push", *_, reference]:
            push(reference, json.loads(authfile.read_text())[reference.partition("/")[0]])
        case _:
            sys.exit(f"unknown: {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
