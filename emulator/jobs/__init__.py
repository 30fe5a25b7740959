"""Jobs are "inputs -> container -> outputs" over the ``/opt/ml`` contract, with logs, limits and stop."""
