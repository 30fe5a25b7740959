# Stands in for AWS's image sagemaker-scikit-learn: script mode, handlers, and the libraries that scripts import.
FROM python:3.11-slim
LABEL preload="boto3 s3transfer numpy pandas joblib pyarrow sklearn sklearn.compose sklearn.pipeline sklearn.impute sklearn.metrics sklearn.preprocessing sklearn.model_selection sklearn.linear_model sklearn.ensemble"
ENV PYTHONUNBUFFERED=1
ENV OMP_WAIT_POLICY=PASSIVE
COPY requirements-scikit-learn.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY toolkit /opt/emulator/emulator_toolkit
COPY main.py /opt/emulator/main.py
ENTRYPOINT ["python3", "/opt/emulator/main.py"]
