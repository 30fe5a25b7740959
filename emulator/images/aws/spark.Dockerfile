# Stands in for AWS's image sagemaker-spark-processing: Spark on one machine, started as AWS's SDKs start it. Needs Java.
FROM python:3.11-slim
LABEL preload=""
ENV PYTHONUNBUFFERED=1
ENV PYSPARK_PYTHON=python3
ENV PATH=/opt/emulator/bin:$PATH
COPY requirements-spark.txt /opt/requirements.txt
RUN pip install --no-cache-dir -r /opt/requirements.txt
COPY smspark_submit.py /opt/emulator/smspark_submit.py
COPY smspark-submit.sh /opt/emulator/bin/smspark-submit
ENTRYPOINT ["smspark-submit"]
