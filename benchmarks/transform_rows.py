"""Batch transform of many rows against the same prediction in one process, parsing and writing included, in one run.

    python -m benchmarks.transform_rows [--rows N] [--columns N] [--repeat N] [--joined]

Both sides use the program of ``containers/xgboost`` on the same CSV. "In one process" is a script that has its
libraries imported and its model loaded: it reads the file, predicts and writes the file of scores. The job is all of
it: from CreateTransformJob until its status is Completed, with a server that starts, and splits, requests and objects.
Sides take turns; the medians are compared, and the two files of scores byte for byte.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measuring import ROOT, RunningEmulator, emulator
from emulator.images import Environment, Images
from emulator.settings import Settings

TARGET = 1.3
BUCKET = "rows"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest"
ROLE = "arn:aws:iam::123456789012:role/bench"
STATUS = "TransformJobStatus"
MAKE = """
import sys, numpy, xgboost
rows, columns, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
random = numpy.random.default_rng(0)
x = random.normal(size=(20_000, columns)).astype("float32")
y = (x.sum(axis=1) + random.normal(size=len(x)) > 0).astype(int)
booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6}, xgboost.DMatrix(x, y), 100)
open(f"{folder}/xgboost-model", "wb").write(booster.save_raw("ubj"))
with open(f"{folder}/rows.csv", "w") as file:
    for start in range(0, rows, 50_000):
        part = random.normal(size=(min(50_000, rows - start), columns))
        file.writelines(",".join(f"{value:.5f}" for value in row) + "\\n" for row in part)
"""
DIRECT = """
import sys, time
from pathlib import Path
from model import load_model
from payload import read_csv, write_csv
model = load_model(Path(sys.argv[1]))
began = time.perf_counter()
body = Path(sys.argv[2]).read_bytes()
Path(sys.argv[3]).write_bytes(write_csv(model.predict(read_csv(body, model)), model))
print(time.perf_counter() - began)
"""


class Bench:
    def __init__(self, folder: Path, server: RunningEmulator, environment: Environment) -> None:
        self.folder, self.environment = folder, environment
        self.sagemaker, self.s3 = server.client("sagemaker"), server.client("s3")
        self.number = 0

    def prepare(self, rows: int, columns: int) -> None:
        subprocess.run([self.environment.python, "-c", MAKE, str(rows), str(columns), self.folder], check=True)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as made:
            made.add(self.folder / "xgboost-model", "xgboost-model")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.getvalue())
        self.s3.upload_file(str(self.folder / "rows.csv"), BUCKET, "in/rows.csv")
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
        self.sagemaker.create_model(ModelName="rows", PrimaryContainer=container, ExecutionRoleArn=ROLE)

    def direct(self) -> float:
        """Seconds of reading, predicting and writing."""
        words = [self.environment.python, "-c", DIRECT, self.folder, self.folder / "rows.csv", self.folder / "scores"]
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "containers/xgboost/program")}
        environ |= {"OMP_WAIT_POLICY": "PASSIVE"}  # as the image's Dockerfile has it
        return float(subprocess.check_output(words, env=environ))

    def job(self, members: dict[str, Any]) -> float:
        """Seconds from the request to its end."""
        self.number += 1
        name = f"rows-{self.number}"
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}}
        began = time.perf_counter()
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName="rows",
            TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{name}", "AssembleWith": "Line", "Accept": "text/csv"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **members,
        )
        while (job := self.sagemaker.describe_transform_job(TransformJobName=name))[
            "TransformJobStatus"
        ] == "InProgress":
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        assert job["TransformJobStatus"] == "Completed", job
        return seconds

    def same(self) -> bool:
        """Whether the last job stored what the script wrote."""
        stored = self.s3.get_object(Bucket=BUCKET, Key=f"rows-{self.number}/rows.csv.out")["Body"].read()
        return bool(stored == (self.folder / "scores").read_bytes())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3, help="turns of each side (default 3)")
    parser.add_argument("--joined", action="store_true", help="also a job whose answers are joined to their records")
    options = parser.parse_args()
    images = Images(ROOT / "containers", Settings.load().cache_dir)
    environment = images.environment(images.resolve(IMAGE), print)
    with tempfile.TemporaryDirectory(prefix="rows-") as name, emulator(Path(name) / "data") as server:
        bench = Bench(Path(name), server, environment)
        bench.prepare(options.rows, options.columns)
        bench.job({})  # the image's warm process has its libraries imported from now on
        joined = [bench.job({"DataProcessing": {"JoinSource": "Input"}}) for _ in range(options.joined)]
        turns = [(bench.direct(), bench.job({})) for _ in range(options.repeat)]
        same = bench.same()
    direct, job = (statistics.median(side) for side in zip(*turns, strict=True))
    print(f"{options.rows:,} rows of {options.columns} columns, medians of {options.repeat}")
    print(f"  predict in one process {direct:7.2f} s\n  transform job          {job:7.2f} s")
    for seconds in joined:
        print(f"  joined to its records  {seconds:7.2f} s, {seconds / direct:.2f} of predict")
    print(f"  ratio {job / direct:.2f}, target {TARGET}; scores {'equal, byte for byte' if same else 'DIFFER'}")
    return 0 if same and job / direct <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
