"""Images of AWS's that nothing here stands in for, by the name of their repository, and what to do instead."""

from __future__ import annotations

_ALGORITHMS = {
    "blazingtext", "factorization-machines", "forecasting-deepar", "image-classification", "image-classification-neo",
    "ipinsights", "kmeans", "knn", "lda", "linear-learner", "ntm", "object-detection", "object2vec", "pca",
    "randomcutforest", "semantic-segmentation", "seq2seq", "xgboost-neo",
}  # fmt: skip
_CLOSED = (
    "AWS's algorithm {name} is closed source, so nothing can run in its place. Train the same kind of model by a"
    " script: estimator SKLearn (or SDK v3's ModelTrainer) with image sagemaker-scikit-learn, or the algorithm XGBoost."
)
_BY_PREFIX = {
    "huggingface-pytorch": (
        "There is no stand-in for {name}. Its libraries run on PyTorch's image: take pytorch-training or"
        " pytorch-inference, with transformers in the script's requirements.txt."
    ),
    "huggingface-tensorflow": (
        "There is no stand-in for {name}. Its libraries run on TensorFlow's image: take tensorflow-training, with"
        " transformers in the script's requirements.txt."
    ),
    "huggingface": "There is no stand-in for {name}, a server of large language models on GPUs.",
    "djl-inference": "There is no stand-in for {name}, a server of large language models on GPUs.",
    "tei": "There is no stand-in for {name}, a server of language models.",
    "vllm": "There is no stand-in for {name}, a server of large language models on GPUs.",
    "sglang": "There is no stand-in for {name}, a server of large language models on GPUs.",
    "mxnet": "There is no stand-in for {name}: MXNet has ended.",
    "sagemaker-mxnet": "There is no stand-in for {name}: MXNet has ended.",
    "sagemaker-chainer": "There is no stand-in for {name}: Chainer has ended.",
    "sagemaker-rl": "There is no stand-in for {name}.",
    "sagemaker-neo": "There is no stand-in for {name}: models compiled by Neo run on AWS only.",
    "sagemaker-inference": "There is no stand-in for {name}: models compiled by Neo run on AWS only.",
    "sagemaker-data-wrangler": "There is no stand-in for {name}: Data Wrangler is closed source.",
    "sagemaker-clarify": "There is no stand-in for {name}.",
    "sagemaker-debugger": "There is no stand-in for {name}: Debugger's rules are not run here.",
    "sagemaker-model-monitor": "There is no stand-in for {name}.",
    "sagemaker-sparkml-serving": "There is no stand-in for {name}.",
    "sagemaker-tritonserver": "There is no stand-in for {name}.",
    "autogluon": "There is no stand-in for {name}.",
    "smdistributed-modelparallel": "There is no stand-in for {name}, which needs GPUs: take pytorch-training.",
    "detailed-profiler": "There is no stand-in for {name}: Debugger's rules are not run here.",
    "llama-cpp": "There is no stand-in for {name}, a server of large language models.",
    "ray": "There is no stand-in for {name}.",
    "sagemaker-geospatial": "There is no stand-in for {name}.",
    "sagemaker-inspect-ai": "There is no stand-in for {name}.",
    "sagemaker-tensorflow": "There is no stand-in for {name}: take tensorflow-training or tensorflow-inference.",
    "whisperx": "There is no stand-in for {name}.",
    "stabilityai": "There is no stand-in for {name}, which needs GPUs.",
    "pytorch-": "There is no stand-in for {name}, which needs other processors: take pytorch-training.",
    "tensorflow-": "There is no stand-in for {name}, which needs other processors: take tensorflow-training.",
}


def reason(name: str) -> str:
    """Why the repository ``name`` of AWS's cannot be run, and what can; empty for a name that AWS has not."""
    if name in _ALGORITHMS:
        return _CLOSED.format(name=name)
    for prefix, text in _BY_PREFIX.items():
        if name.startswith(prefix):
            return text.format(name=name)
    return ""
