"""A processing script: it says its arguments and what it can import, and copies its input."""

import json
import pathlib
import shutil
import sys

base = pathlib.Path("/opt/ml/processing")
said = {"arguments": sys.argv[1:], "inputs": sorted(path.name for path in (base / "input" / "data").iterdir())}
try:
    import tabulate

    said["tabulate"] = tabulate.__version__
except ImportError:
    pass
(base / "output").mkdir(parents=True, exist_ok=True)
(base / "output" / "said.json").write_text(json.dumps(said))
for path in (base / "input" / "data").iterdir():
    shutil.copy(path, base / "output")
