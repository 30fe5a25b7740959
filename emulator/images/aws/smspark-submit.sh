#!/bin/sh
# The program `smspark-submit`; a file of its own because modules lose their mode in a wheel.
exec python3 /opt/emulator/smspark_submit.py "$@"
