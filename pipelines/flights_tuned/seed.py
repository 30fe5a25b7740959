"""The sample data of the pipeline: the same as that of flights, in the same place."""

from __future__ import annotations

from pipelines.flights.seed import seed

__all__ = ["seed"]
