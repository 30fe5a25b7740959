import threading
import time

from emulator.jobs.pool import Pool


def test_work_runs_in_order_and_no_more_than_the_size_at_a_time():
    pool, running, most, order = Pool(3, "p"), [], [], []
    done = threading.Semaphore(0)

    def work(number):
        order.append(number)
        running.append(number)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(number)
        done.release()

    for number in range(30):
        pool.submit(lambda n=number: work(n))
    for _ in range(30):
        assert done.acquire(timeout=5)
    assert max(most) == 3
    assert sorted(order) == list(range(30))
    assert all(abs(place - number) < 3 for place, number in enumerate(order))
    pool.close(1)


def test_threads_are_used_again():
    pool, names, done = Pool(4, "p"), set(), threading.Semaphore(0)
    for _ in range(10):
        pool.submit(lambda: (names.add(threading.current_thread().name), done.release()))
        assert done.acquire(timeout=5)
        time.sleep(0.005)
    assert len(names) <= 2
    pool.close(1)


def test_cancelled_work_never_runs_and_begun_work_cannot_be_cancelled():
    pool, began, go, ran = Pool(1, "p"), threading.Event(), threading.Event(), []
    first = pool.submit(lambda: (began.set(), go.wait(5)))
    second = pool.submit(lambda: ran.append(2))
    third = pool.submit(lambda: ran.append(3))
    assert began.wait(5)
    assert not first.cancel()
    assert second.cancel()
    go.set()
    until = time.monotonic() + 5
    while ran != [3]:
        assert time.monotonic() < until
        time.sleep(0.005)
    assert not third.cancel()
    pool.close(1)


def test_a_fault_in_one_piece_of_work_does_not_end_the_thread(caplog):
    pool, done = Pool(1, "p"), threading.Event()
    pool.submit(lambda: 1 / 0)
    pool.submit(done.set)
    assert done.wait(5)
    assert "ZeroDivisionError" in caplog.text
    pool.close(1)


def test_closing_does_not_wait_for_ever_nor_begin_anything_more():
    pool, go, ran = Pool(1, "p"), threading.Event(), []
    pool.submit(lambda: go.wait(10))
    pool.submit(lambda: ran.append(1))
    time.sleep(0.02)
    began = time.monotonic()
    pool.close(0.05)
    assert time.monotonic() - began < 2
    go.set()
    pool.close(5)
    assert ran == []
