from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from studio.remembered import Remembered


def test_the_oldest_is_forgotten_first() -> None:
    map_: Remembered[str, int] = Remembered(2)
    for number, key in enumerate("abca"):
        assert map_.put(key, number) == number
    assert [map_.get(key) for key in "abc"] == [3, None, 2]
    map_.clear()
    assert map_.get("a") is None


def test_many_threads_may_use_it() -> None:
    map_: Remembered[int, int] = Remembered(10)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda n: map_.put(n, n), range(2000))) == list(range(2000))
    assert sum(map_.get(n) is not None for n in range(2000)) == 10
