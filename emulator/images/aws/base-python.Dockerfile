# Stands in for AWS's images sagemaker-base-python-*: what @step and @remote functions of SDK v2 run in.
FROM python:3.11-slim
LABEL preload="numpy pandas boto3 sagemaker.remote_function"
ENV PYTHONUNBUFFERED=1
COPY requirements-base-python.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
CMD ["python3"]
