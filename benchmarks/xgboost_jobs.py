"""XGBoost by training and tuning jobs against the same training called directly on the same data, in one run.

    python -m benchmarks.xgboost_jobs [--rows N] [--rounds N] [--jobs N] [--repeat N]

"Directly" is a script run by the interpreter of the image: it reads the CSV, trains with a validation set and saves the
model, as a user would write it. The job is the algorithm of AWS's XGBoost image, from its request until its status is
Completed. The tuning job runs ``--jobs`` of them, two at a time; then the script runs with the same values, two at a
time as well. Processor time is that of everything on either side; on a machine that does other things it says more.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.measuring import Cost, RunningEmulator, emulator
from emulator.images import Environment, Images
from emulator.settings import Settings

TARGETS = {"training job": 1.05, "tuning job": 1.05, "tuning job / its training time": 1.1}
BUCKET = "train"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::123456789012:role/bench"
PARALLEL = 2
CHANNELS = ("train", "validation")
FIXED = {"objective": "binary:logistic", "eval_metric": "logloss", "max_depth": "6"}
MAKE = """
import sys, numpy
columns, random = 20, numpy.random.default_rng(0)
for name, rows in ("train", int(sys.argv[1])), ("validation", int(sys.argv[1]) // 10):
    x = random.normal(size=(rows, columns))
    y = x[:, :5].sum(axis=1) + random.normal(size=rows) > 0
    with open(f"{sys.argv[2]}/{name}.csv", "w") as file:
        file.writelines(f"{int(label)}," + ",".join(f"{v:.4f}" for v in row) + "\\n" for label, row in zip(y, x))
"""
DIRECT = """
import json, sys, time, numpy, pandas, xgboost
began = time.perf_counter()
given, folder, model = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
rounds = int(given.pop("num_round"))
tables = [pandas.read_csv(f"{folder}/{name}.csv", header=None, dtype=numpy.float32).to_numpy()
          for name in ("train", "validation")]
train, validation = (xgboost.DMatrix(table[:, 1:], label=table[:, 0]) for table in tables)
watched = [(train, "train"), (validation, "validation")]
xgboost.train(given, train, rounds, evals=watched, verbose_eval=True).save_model(model)
print(time.perf_counter() - began, file=sys.stderr)
"""


class Bench:
    def __init__(self, folder: Path, server: RunningEmulator, environment: Environment, rounds: int) -> None:
        self.folder, self.server, self.environment = folder, server, environment
        self.sagemaker, self.s3 = server.client("sagemaker"), server.client("s3")
        self.fixed = FIXED | {"num_round": str(rounds)}
        self.number = 0

    def prepare(self, rows: int) -> None:
        subprocess.run([self.environment.python, "-c", MAKE, str(rows), self.folder], check=True)
        self.s3.create_bucket(Bucket=BUCKET)
        for name in CHANNELS:
            self.s3.upload_file(str(self.folder / f"{name}.csv"), BUCKET, f"{name}/data.csv")

    def directly(self, values: Mapping[str, str]) -> float:
        """Run the script; its seconds once its libraries are imported."""
        self.number += 1
        model = self.folder / f"model-{self.number}.ubj"
        given = json.dumps(self.fixed | dict(values))
        words = [self.environment.python, "-c", DIRECT, given, self.folder, model]
        environ = {"PATH": "/usr/bin:/bin", **self.environment.env}
        ended = subprocess.run(words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
        return float(ended.stderr.split()[-1])

    def train(self) -> None:
        self.number += 1
        name = f"train-{self.number}"
        definition = self._definition() | {"HyperParameters": self.fixed, "TrainingJobName": name}
        self.sagemaker.create_training_job(**definition)
        _completed(lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus")

    def tune(self, jobs: int) -> str:
        """The name of a tuning job that has ended."""
        self.number += 1
        name = f"tune-{self.number}"
        definition = self._definition() | {"StaticHyperParameters": self.fixed}
        eta = {"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}
        self.sagemaker.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name,
            HyperParameterTuningJobConfig={
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:logloss"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": PARALLEL},
                "ParameterRanges": {"ContinuousParameterRanges": [eta]},
            },
            TrainingJobDefinition=definition,
        )
        describe = self.sagemaker.describe_hyper_parameter_tuning_job
        _completed(lambda: describe(HyperParameterTuningJobName=name), "HyperParameterTuningJobStatus")
        return name

    def tried(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, MaxResults=100
        )["TrainingJobSummaries"]
        return found

    def _definition(self) -> dict[str, Any]:
        return {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "InputDataConfig": [_channel(name) for name in CHANNELS],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "RoleArn": ROLE,
        }

    def cost(self, work: Callable[[], Any]) -> Cost:
        """Of this program's children and of the emulator with all that it runs."""
        began, used, children = time.perf_counter(), self.server.cpu(), _children()
        work()
        return Cost(time.perf_counter() - began, self.server.cpu() - used + _children() - children)


def _channel(name: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _completed(describe: Callable[[], dict[str, Any]], member: str) -> None:
    while (job := describe())[member] == "InProgress":
        time.sleep(0.02)
    assert job[member] == "Completed", job


def training(bench: Bench, repeat: int) -> float:
    imported: list[float] = []
    turns = [(bench.cost(lambda: imported.append(bench.directly({}))), bench.cost(bench.train)) for _ in range(repeat)]
    direct, job = (_median(side) for side in zip(*turns, strict=True))
    ratio = show("training job", direct, job)
    seconds = statistics.median(imported)
    print(f"  without its imports the script took {seconds:.2f} s: the job {job.wall / seconds:.2f} of that")
    return ratio


def tuning(bench: Bench, jobs: int) -> tuple[float, float]:
    names: list[str] = []
    tuned = bench.cost(lambda: names.append(bench.tune(jobs)))
    tried = bench.tried(names[0])

    def by_hand() -> None:
        with ThreadPoolExecutor(PARALLEL) as workers:
            list(workers.map(bench.directly, [trial["TunedHyperParameters"] for trial in tried]))

    ratio = show(f"tuning job of {jobs}, {PARALLEL} at a time", bench.cost(by_hand), tuned)
    seconds = [(trial["TrainingEndTime"] - trial["TrainingStartTime"]).total_seconds() for trial in tried]
    share = tuned.wall / (sum(seconds) / PARALLEL)
    print(f"  its wall time by its training time, {sum(seconds):.1f} s / {PARALLEL}: {share:.2f}")
    return ratio, share


def show(label: str, direct: Cost, job: Cost) -> float:
    ratio = job / direct
    print(f"{label}\n  directly {direct}\n  job      {job}\n  ratios   {ratio.wall:7.2f} wall   {ratio.cpu:7.2f} CPU")
    return ratio.wall


def _median(side: tuple[Cost, ...]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in side), statistics.median(cost.cpu for cost in side))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3, help="turns of each side of training (default 3)")
    options = parser.parse_args()
    images = Images(Path("containers"), Settings.load().cache_dir)
    environment = images.environment(images.resolve(IMAGE), print)
    with tempfile.TemporaryDirectory(prefix="xgboost-") as name, emulator(Path(name) / "data") as server:
        bench = Bench(Path(name), server, environment, options.rounds)
        bench.prepare(options.rows)
        bench.train()  # the image's warm process has its libraries imported from now on
        ratios = [training(bench, options.repeat), *tuning(bench, options.jobs)]
    met = True
    for (label, target), ratio in zip(TARGETS.items(), ratios, strict=True):
        met = met and ratio <= target
        print(f"{label}: {ratio:.2f}, target {target}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
