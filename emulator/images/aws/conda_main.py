"""The programs ``conda``, ``mamba`` and ``micromamba`` of these images."""

import sys

from emulator_conda.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
