"""What survives a ``kill -9``: SQLite in WAL mode for state, immutable files for blobs and logs."""
