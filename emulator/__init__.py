"""SageMaker on one machine: AWS's wire protocol in front, real sandboxed processes behind."""

__version__ = "0.1.0"
