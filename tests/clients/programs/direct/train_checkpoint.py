"""Counts on from its checkpoint, and says what it can import and what it was told."""

import json
import os
from pathlib import Path

import tabulate

folder = Path("/opt/ml/checkpoints")
state = folder / "state.json"
count = json.loads(state.read_text())["count"] + 1 if state.exists() else 1
state.write_text(json.dumps({"count": count}))
print(f"count={count}; tabulate={tabulate.__version__}; hyperparameters={os.environ['SM_HPS']}")
Path(os.environ["SM_MODEL_DIR"], "count").write_text(str(count))
