"""What SageMaker runs in this image: `train` or `serve`, named by the first argument."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    match arguments:
        case ["train"]:
            import train

            return train.main()
        case ["serve"]:
            import serve

            return serve.main()
    print(f"error: this image has the programs train and serve, not {' '.join(arguments) or 'none'}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
