import signal
import threading
import time

import pytest

from latentlab.report.time_limit import TimeLimitExceeded, time_limit


def test_a_block_that_takes_too_long_is_interrupted():
    start = time.monotonic()
    with pytest.raises(TimeLimitExceeded), time_limit(0.05):
        time.sleep(10)
    assert time.monotonic() - start < 5


def test_a_block_that_catches_the_interruption_is_stopped_all_the_same():
    reached = []
    with pytest.raises(TimeLimitExceeded), time_limit(0.05):
        try:
            time.sleep(10)
        except BaseException:  # as WeasyPrint does while it draws an SVG
            reached.append("handler")
    assert reached == ["handler"]


def test_a_block_in_time_is_left_alone():
    with time_limit(0.2):
        pass
    time.sleep(0.3)


def test_an_earlier_handler_and_timer_are_restored():
    calls = []
    earlier = signal.signal(signal.SIGALRM, lambda *_: calls.append("earlier"))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with time_limit(60):
            pass
        time.sleep(0.6)
        assert calls == ["earlier"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def test_there_is_no_limit_outside_the_main_thread():
    finished = []

    def work():
        with time_limit(0.01):
            time.sleep(0.1)
        finished.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert finished == [True]
