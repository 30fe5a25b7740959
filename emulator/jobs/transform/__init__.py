"""Batch transform: the objects of a prefix go through a model's own server, their answers come back as objects."""
