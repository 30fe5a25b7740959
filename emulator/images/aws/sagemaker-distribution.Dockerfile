# Stands in for AWS's image sagemaker-distribution-prod: frameworks, SDK v2 and conda, for functions and scripts.
FROM python:3.11-slim
LABEL preload="boto3 s3transfer numpy pandas pyarrow sklearn.metrics sagemaker.remote_function"
ENV PYTHONUNBUFFERED=1
ENV PATH=/opt/emulator/bin:$PATH
# PyPI's torch for Linux brings gigabytes for GPUs; the index has the build for CPUs. Without the index pip takes what it finds.
RUN pip install --no-cache-dir --no-deps --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY requirements-sagemaker-distribution.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY conda /opt/emulator/emulator_conda
COPY conda_main.py /opt/emulator/conda_main.py
COPY conda.sh /opt/emulator/bin/conda
COPY conda.sh /opt/emulator/bin/mamba
COPY conda.sh /opt/emulator/bin/micromamba
COPY sudo.sh /opt/emulator/bin/sudo
WORKDIR /home/sagemaker-user
CMD ["python3"]
