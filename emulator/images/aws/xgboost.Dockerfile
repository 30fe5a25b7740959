# Stands in for AWS's images sagemaker-xgboost and xgboost: script mode, algorithm mode, handlers.
FROM python:3.11-slim
LABEL preload="boto3 s3transfer numpy pandas joblib pyarrow sklearn.metrics xgboost"
ENV PYTHONUNBUFFERED=1
# Threads that wait for others sleep: on a machine that runs more than this container, spinning costs more than the work.
ENV OMP_WAIT_POLICY=PASSIVE
COPY requirements-xgboost.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY toolkit /opt/emulator/emulator_toolkit
COPY main.py /opt/emulator/main.py
ENTRYPOINT ["python3", "/opt/emulator/main.py"]
