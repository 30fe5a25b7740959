# Stands in for AWS's images tensorflow-training and tensorflow-inference, on CPUs: script mode, SavedModels, handlers.
FROM python:3.11-slim
LABEL preload="boto3 s3transfer numpy pandas joblib pyarrow sklearn.metrics"
ENV PYTHONUNBUFFERED=1
ENV OMP_WAIT_POLICY=PASSIVE
ENV TF_CPP_MIN_LOG_LEVEL=2
COPY requirements-tensorflow.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY toolkit /opt/emulator/emulator_toolkit
COPY main.py /opt/emulator/main.py
ENTRYPOINT ["python3", "/opt/emulator/main.py"]
