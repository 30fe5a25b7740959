#!/bin/sh
# A pipeline driven by the AWS CLI alone. $1: the folder of its programs; $2: a folder for files.
set -eu
here=$(dirname "$0")
aws_bin=$1 work=$2
aws() { "$aws_bin/aws" "$@"; }

python="$aws_bin/python"
(cd "$here" && "$python" definition.py) > "$work/definition.json"
(cd "$here" && "$python" -c 'from definition import SCRIPT; print(SCRIPT)') > "$work/say.py"
aws s3 mb s3://clients-bucket >&2 || true
aws s3 cp "$work/say.py" s3://clients-bucket/code/say.py >&2
aws sagemaker create-pipeline --pipeline-name ByCli --pipeline-definition "file://$work/definition.json" \
  --role-arn arn:aws:iam::123456789012:role/SageMakerExecutionRole >&2
execution=$(aws sagemaker start-pipeline-execution --pipeline-name ByCli \
  --pipeline-parameters Name=Word,Value=cli --query PipelineExecutionArn --output text)
status=Executing
while [ "$status" = Executing ]; do
  status=$(aws sagemaker describe-pipeline-execution --pipeline-execution-arn "$execution" \
    --query PipelineExecutionStatus --output text)
done
aws sagemaker list-pipeline-execution-steps --pipeline-execution-arn "$execution" \
  --query 'PipelineExecutionSteps[].[StepName,StepStatus]' --output text
aws s3 cp "s3://clients-bucket/${execution##*/}/said.txt" -
echo
aws sts get-caller-identity --query Account --output text
queue=$(aws sqs create-queue --queue-name by-cli --query QueueUrl --output text)
aws sqs send-message --queue-url "$queue" --message-body "by queue" >&2
aws sqs receive-message --queue-url "$queue" --query 'Messages[].Body' --output text
aws cloudwatch put-metric-data --namespace shop --metric-name sales --value 7 --dimensions Town=Kiel >&2
aws cloudwatch list-metrics --namespace shop --query 'Metrics[].MetricName' --output text
aws cloudwatch get-metric-statistics --namespace shop --metric-name sales --dimensions Name=Town,Value=Kiel \
  --start-time "$(date -u -d '-5 minutes' +%FT%TZ)" --end-time "$(date -u -d '+5 minutes' +%FT%TZ)" \
  --period 3600 --statistics Sum --query 'Datapoints[].[Sum,Unit]' --output text
aws sagemaker delete-pipeline --pipeline-name ByCli >&2
