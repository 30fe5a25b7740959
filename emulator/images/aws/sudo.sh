#!/bin/sh
# The program `sudo`: in a job everything is done by root already, so it only runs the command.
while [ $# -gt 0 ]; do
    case "$1" in
        -u|-g|-h|-p|-C|-T) shift 2 ;;
        --) shift; break ;;
        -*) shift ;;
        *=*) export "$1"; shift ;;
        *) break ;;
    esac
done
exec "$@"
