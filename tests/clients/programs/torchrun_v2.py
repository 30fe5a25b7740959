"""PyTorch over two instances by SDK v2's estimator. It knows nothing of an emulator."""

import json
from pathlib import Path

from sagemaker.pytorch import PyTorch
from what_hosts_said import of_latest

estimator = PyTorch(
    entry_point="train.py",
    source_dir=str(Path(__file__).parent / "torchrun"),
    role="arn:aws:iam::123456789012:role/SageMaker",
    framework_version="2.3.0",
    py_version="py311",
    instance_type="ml.g5.xlarge",  # the SDK wants one with GPUs; the script does without
    instance_count=2,
    base_job_name="torchrun-by-v2",
    distribution={"torch_distributed": {"enabled": True}},
)
estimator.fit(wait=True, logs=False)
print(json.dumps(of_latest("torchrun-by-v2")))
