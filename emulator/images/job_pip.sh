#!/bin/sh
# The program `pip` as jobs have it: beside the environment's Python, in front of job_pip.py.
exec "$(dirname "$0")/python3" -m pip "$@"
