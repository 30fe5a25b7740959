"""Executes stored pipeline definitions: expressions, graph, state transitions, one executor per step type."""
