"""What a file of training data has: features, labels, and for each row a weight or the query it belongs to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse


class Rows(NamedTuple):
    features: np.ndarray | scipy.sparse.csr_matrix
    labels: np.ndarray
    weights: np.ndarray | None = None
    queries: np.ndarray | None = None
    """Of ranking: rows of one query are ranked among each other."""
