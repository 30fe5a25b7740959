"""SageMaker on one machine: AWS's wire protocol in front, real sandboxed processes behind."""
