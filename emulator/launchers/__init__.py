"""Ways to run a container's process on this machine; all pass one contract suite."""
