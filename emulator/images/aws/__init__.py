"""AWS's own images, stood in for by open-source environments: which URIs mean them, and their definitions."""
