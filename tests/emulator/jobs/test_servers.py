import threading
from types import SimpleNamespace

from emulator.jobs.servers import Servers


def running(name):
    return SimpleNamespace(host=SimpleNamespace(name=name))


def test_who_waits_gets_the_servers_in_the_order_asked_for():
    servers = Servers()
    first, second = running("a"), running("b")
    threading.Timer(0.01, servers.come, [first]).start()
    servers.come(second)
    assert servers.await_come(["b", "a"], lambda: False) == [second, first]


def test_who_gives_up_gets_those_that_have_come():
    servers = Servers()
    servers.come(running("a"))
    assert [found.host.name for found in servers.await_come(["a", "b"], lambda: True)] == ["a"]


def test_all_have_to_be_done():
    servers = Servers()
    servers.done("a")
    waited = threading.Thread(target=servers.await_done, args=(["a", "b"], lambda: False))
    waited.start()
    waited.join(0.05)
    assert waited.is_alive()
    servers.done("b")
    waited.join(10)
    assert not waited.is_alive()
    servers.await_done(["c"], lambda: True)
