"""Hyper-parameter tuning: training jobs one after another, each with values chosen by what the earlier ones reached."""
