"""AWS Lambda: functions of Python's runtimes, really run, each invocation in a sandbox of its own."""
