"""What SageMaker runs in these images: ``train`` or ``serve``, named by the first argument."""

import sys

from emulator_toolkit.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
