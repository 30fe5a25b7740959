from __future__ import annotations

import signal

from emulator.launchers.sandbox.inherit import _signals


def test_signals_of_the_c_library_itself_are_passed_over():
    # A child of posix_spawn, as make starts them, ignores 32 and 33, which no program may set.
    mask = sum(1 << (number - 1) for number in (signal.SIGHUP, 32, 33, signal.SIGPIPE))
    assert _signals(mask) == [signal.SIGHUP, signal.SIGPIPE]
