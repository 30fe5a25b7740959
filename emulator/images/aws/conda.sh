#!/bin/sh
# The programs `conda`, `mamba` and `micromamba`, run by the image's own Python whichever environment is active.
exec "${EMULATOR_CONDA_PYTHON:-python3}" /opt/emulator/conda_main.py "$@"
