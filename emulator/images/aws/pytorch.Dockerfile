# Stands in for AWS's images pytorch-training and pytorch-inference, on CPUs: script mode, torchrun on gloo, handlers.
FROM python:3.11-slim
LABEL preload="boto3 s3transfer numpy pandas joblib pyarrow sklearn.metrics torch torch.utils.data"
ENV PYTHONUNBUFFERED=1
ENV OMP_WAIT_POLICY=PASSIVE
# PyPI's torch for Linux brings gigabytes for GPUs; the index has the build for CPUs. Without the index pip takes what it finds.
RUN pip install --no-cache-dir --no-deps --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY requirements-pytorch.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY toolkit /opt/emulator/emulator_toolkit
COPY main.py /opt/emulator/main.py
ENTRYPOINT ["python3", "/opt/emulator/main.py"]
