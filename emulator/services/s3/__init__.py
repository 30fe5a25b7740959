"""Amazon S3: its own wire (streams both ways), over the object store."""
