"""Executes stored pipeline definitions: expressions, conditions, graph, state transitions, one executor per step type."""
