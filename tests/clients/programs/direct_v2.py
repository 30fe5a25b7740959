"""Jobs outside of pipelines by SDK v2: train, tune, process, transform, register. It knows nothing of an emulator."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.pytorch import PyTorch
from sagemaker.s3 import S3Downloader, S3Uploader
from sagemaker.sklearn import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.tensorflow import TensorFlow
from sagemaker.tuner import (
    CategoricalParameter,
    ContinuousParameter,
    HyperparameterTuner,
    IntegerParameter,
    WarmStartConfig,
    WarmStartTypes,
)

HERE = Path(__file__).parent / "direct"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SESSION = sagemaker.Session()
COMMON = {"role": ROLE, "instance_type": "ml.m5.large", "instance_count": 1, "sagemaker_session": SESSION}


def rows(seed):
    features = np.random.default_rng(seed).random((60, 3))
    labels = features @ [3.0, 1.0, 0.0]
    return "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in np.column_stack([labels, features]))


def put(name, text):
    uri = f"s3://{SESSION.default_bucket()}/direct-v2/{name}"
    return S3Uploader.upload_string_as_file_body(text, uri, sagemaker_session=SESSION)


DATA = {name: put(f"{name}/data.csv", rows(seed)) for seed, name in enumerate(("train", "validation"))}
FEATURES = put("features/rows.csv", "0.5,0.5,0.5\n0.1,0.2,0.3\n")
CHANNELS = {name: TrainingInput(uri, content_type="text/csv") for name, uri in DATA.items()}


def lines(uri):
    return S3Downloader.read_file(uri, sagemaker_session=SESSION).split()


def transform(transformer, **options):
    transformer.transform(FEATURES, content_type="text/csv", split_type="Line", wait=True, logs=False, **options)
    return lines(f"{transformer.output_path}/rows.csv.out")


def sklearn():
    estimator = SKLearn(
        entry_point="train_sklearn.py",
        source_dir=str(HERE),
        framework_version="1.2-1",
        hyperparameters={"alpha": 0.001},
        metric_definitions=[{"Name": "r2", "Regex": "r2=([0-9.]+);"}],
        **COMMON,
    )
    estimator.fit({"train": DATA["train"]}, logs=False)
    transformer = estimator.transformer(1, "ml.m5.large", accept="text/csv", assemble_with="Line")
    return {
        "metrics": estimator.latest_training_job.describe()["FinalMetricDataList"][0]["MetricName"],
        "scores": [float(line) for line in transform(transformer)],
    }


def pytorch():
    answer = {}
    for name, distribution in (("alone", None), ("torchrun", {"torch_distributed": {"enabled": True}})):
        estimator = PyTorch(
            entry_point="train_torch.py",
            source_dir=str(HERE),
            framework_version="2.3.0",
            py_version="py311",
            hyperparameters={"factor": 2.5},
            metric_definitions=[{"Name": "total", "Regex": "total=([0-9.]+);"}],
            distribution=distribution,
            **{**COMMON, "instance_type": "ml.g5.xlarge" if distribution else "ml.m5.large"},  # the SDK asks for GPUs
        )
        estimator.fit(logs=False)
        described = estimator.latest_training_job.describe()
        answer[name] = {metric["MetricName"]: metric["Value"] for metric in described.get("FinalMetricDataList", [])}
    transformer = estimator.transformer(1, "ml.m5.large", accept="application/json", strategy="MultiRecord")
    answer["scores"] = json.loads("".join(transform(transformer)))
    return answer


def tensorflow():
    estimator = TensorFlow(
        entry_point="train_keras.py",
        source_dir=str(HERE),
        framework_version="2.14",
        py_version="py310",
        hyperparameters={"epochs": 200},
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
        **COMMON,
    )
    estimator.fit(logs=False)
    metrics = estimator.latest_training_job.describe()["FinalMetricDataList"]
    answer = transform(estimator.transformer(1, "ml.m5.large", strategy="MultiRecord"))
    return {"loss": metrics[0]["Value"], "predictions": json.loads("".join(answer))["predictions"]}


def xgboost_estimator(**hyperparameters):
    image = image_uris.retrieve("xgboost", SESSION.boto_region_name, version="1.7-1")
    estimator = Estimator(image_uri=image, output_path=f"s3://{SESSION.default_bucket()}/direct-v2/models", **COMMON)
    estimator.set_hyperparameters(num_round=10, objective="reg:squarederror", **hyperparameters)
    return estimator


def tuning():
    ranges = {
        "eta": ContinuousParameter(0.05, 0.5, scaling_type="Logarithmic"),
        "max_depth": IntegerParameter(1, 4),
        "booster": CategoricalParameter(["gbtree", "dart"]),
    }
    common = {"objective_metric_name": "validation:rmse", "objective_type": "Minimize", "max_jobs": 3}
    tuner = HyperparameterTuner(xgboost_estimator(), hyperparameter_ranges=ranges, max_parallel_jobs=2, **common)
    tuner.fit(CHANNELS, wait=True)
    answer = {"best": tuner.best_training_job(), "status": tuner.describe()["HyperParameterTuningJobStatus"]}
    again = tuner.identical_dataset_and_algorithm_tuner()
    again.base_tuning_job_name = "again"  # the SDK's own names differ from minute to minute only
    again.fit(CHANNELS, wait=True)
    answer["warm"] = again.describe()["WarmStartConfig"]["WarmStartType"]
    transfer = HyperparameterTuner(
        xgboost_estimator(subsample=0.9),
        hyperparameter_ranges=ranges,
        warm_start_config=WarmStartConfig(WarmStartTypes.TRANSFER_LEARNING, parents={tuner.latest_tuning_job.name}),
        base_tuning_job_name="transfer",
        **common,
    )
    transfer.fit(CHANNELS, wait=True)
    answer["transfer"] = transfer.describe()["TrainingJobStatusCounters"]["Completed"]
    answer["table"] = len(tuner.analytics().dataframe())
    answer["estimator"] = tuner.best_estimator().hyperparameters()["num_round"]
    return answer


def processing():
    sklearn_image = image_uris.retrieve("sklearn", SESSION.boto_region_name, version="1.2-1")
    inputs = [ProcessingInput(source=DATA["train"], destination="/opt/ml/processing/input/data")]
    answer = {}
    for name, processor in (
        ("sklearn", SKLearnProcessor(framework_version="1.2-1", **COMMON)),
        ("script", ScriptProcessor(image_uri=sklearn_image, command=["python3"], **COMMON)),
        ("framework", FrameworkProcessor(SKLearn, framework_version="1.2-1", **COMMON)),
        ("pytorch", FrameworkProcessor(PyTorch, framework_version="2.3.0", py_version="py311", **COMMON)),
    ):
        folder = f"s3://{SESSION.default_bucket()}/direct-v2/processed/{name}"
        framework = isinstance(processor, FrameworkProcessor)
        processor.run(
            code="process.py" if framework else str(HERE / "process.py"),
            inputs=inputs,
            outputs=[ProcessingOutput(source="/opt/ml/processing/output", destination=folder)],
            arguments=["--name", name],
            logs=False,
            **({"source_dir": str(HERE)} if framework else {}),
        )
        answer[name] = json.loads("".join(lines(f"{folder}/said.json")))["arguments"]
    return answer


def models():
    """A model that was trained elsewhere, with handlers beside it; registered, and transformed from its package."""
    estimator = xgboost_estimator()
    estimator.fit(CHANNELS, logs=False)
    algorithm = [float(line) for line in transform(estimator.transformer(1, "ml.m5.large"))]
    model = Model(
        image_uri=estimator.image_uri,
        model_data=estimator.model_data,
        role=ROLE,
        sagemaker_session=SESSION,
        entry_point="handlers.py",
        source_dir=str(HERE),
    )
    handlers = transform(model.transformer(1, "ml.m5.large", assemble_with="Line"))
    package = estimator.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="DirectV2",
        approval_status="Approved",
    )
    packaged = transform(package.transformer(1, "ml.m5.large"))
    return {"algorithm": algorithm, "handlers": handlers, "package": [float(line) for line in packaged]}


def own_archive():
    """A model archive by hand: ``code/inference.py`` and its requirements within."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in (
            ("code/inference.py", (HERE / "inference_own.py").read_text()),
            ("code/requirements.txt", "tabulate==0.10.0\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    bucket = SESSION.default_bucket()
    SESSION.boto_session.client("s3").put_object(Bucket=bucket, Key="own/model.tar.gz", Body=content.getvalue())
    image = image_uris.retrieve(
        "pytorch", SESSION.boto_region_name, version="2.3", py_version="py311", image_scope="inference",
        instance_type="ml.m5.large",
    )  # fmt: skip
    model = Model(image_uri=image, model_data=f"s3://{bucket}/own/model.tar.gz", role=ROLE, sagemaker_session=SESSION)
    return transform(model.transformer(1, "ml.m5.large"))


def main():
    import sys

    every = (sklearn, pytorch, tensorflow, tuning, processing, models, own_archive)
    parts = {each.__name__: each for each in every}
    answer = {name: parts[name]() for name in sys.argv[1:] or parts}
    print("\n" + json.dumps(answer))  # the SDK's dots have no line of their own


if __name__ == "__main__":
    main()
