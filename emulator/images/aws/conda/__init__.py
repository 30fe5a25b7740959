"""``conda``, ``mamba`` and ``micromamba`` as jobs of AWS's images call them, by Python's own environments and PyPI.

Runs inside a job, where it is called ``emulator_conda``; it imports nothing of the emulator. It understands what the
SDKs' remote functions call ("Customize your runtime environment", SageMaker Developer Guide) and what people write into
``pre_execution_commands``. Packages come from PyPI under the names they have there; docs/images.md says the rest.
"""
