"""Importing this registers every check."""

import pipelines.checks.caching
import pipelines.checks.code
import pipelines.checks.graph
import pipelines.checks.images
import pipelines.checks.limits
import pipelines.checks.outputs
import pipelines.checks.parameters
import pipelines.checks.references
import pipelines.checks.roles  # noqa: F401
