"""The SageMaker control plane, one module per resource family."""
