"""Stops work that takes too long."""

import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager

REPEAT_S = 1.0  # how often the block is interrupted again: a library may catch the exception and go on


class TimeLimitExceeded(BaseException):
    """The block under `time_limit` took too long. Not an Exception, which libraries catch more often."""


@contextmanager
def time_limit(seconds: float) -> Generator[None]:
    """Raise TimeLimitExceeded in the block once it has run for `seconds`, or after it if it caught that.

    Only the main thread of a POSIX system can be interrupted; elsewhere this has no effect. A timer that was set before
    goes on afterwards.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    interruptions = 0

    def interrupt(*_: object) -> None:
        nonlocal interruptions
        interruptions += 1
        raise TimeLimitExceeded

    start = time.monotonic()
    earlier_handler = signal.signal(signal.SIGALRM, interrupt)
    earlier_delay, earlier_interval = signal.setitimer(signal.ITIMER_REAL, seconds, REPEAT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if earlier_handler is None else earlier_handler)
        if earlier_delay:
            remaining = earlier_delay - (time.monotonic() - start)
            signal.setitimer(signal.ITIMER_REAL, max(remaining, 1e-6), earlier_interval)
    if interruptions:
        raise TimeLimitExceeded
