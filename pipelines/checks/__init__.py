"""Static checks of a pipeline: each a few lines in a registry, on the built definition and on the sources."""
