"""PyTorch over two instances by SDK v3's own driver. It knows nothing of an emulator."""

import json
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.training.configs import Compute, SourceCode
from sagemaker.train.distributed import Torchrun
from sagemaker.train.model_trainer import ModelTrainer
from what_hosts_said import of_latest

trainer = ModelTrainer(
    sagemaker_session=Session(),
    role="arn:aws:iam::123456789012:role/SageMaker",
    training_image="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.6-cpu-py312",
    base_job_name="torchrun-by-v3",
    source_code=SourceCode(source_dir=str(Path(__file__).parent / "torchrun"), entry_script="train.py"),
    distributed=Torchrun(process_count_per_node=1),
    compute=Compute(instance_type="ml.m5.large", instance_count=2, volume_size_in_gb=30),
)
trainer.train(wait=True, logs=False)
print(json.dumps(of_latest("torchrun-by-v3")))
