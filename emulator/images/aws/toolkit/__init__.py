"""The programs of the images that stand in for AWS's: ``train`` and ``serve``.

Runs inside a job, where it is called ``emulator_toolkit``; it imports nothing of the emulator. The contract is that of
AWS's containers (SageMaker Developer Guide, "Prepare a Training Script", "XGBoost algorithm").
"""
