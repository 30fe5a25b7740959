# Stands in for AWS's image sagemaker-base-python-310 where this machine has Python 3.10: a function needs its client's Python.
FROM python:3.10-slim
LABEL preload="numpy pandas boto3 sagemaker.remote_function"
ENV PYTHONUNBUFFERED=1
ENV PATH=/opt/emulator/bin:$PATH
COPY requirements-base-python-310.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY conda /opt/emulator/emulator_conda
COPY conda_main.py /opt/emulator/conda_main.py
COPY conda.sh /opt/emulator/bin/conda
COPY conda.sh /opt/emulator/bin/mamba
CMD ["python3"]
