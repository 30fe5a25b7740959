"""Reaching a program that listens in a job, and what a job without a network reaches outside."""

import socket
import threading
import time
from contextlib import closing, suppress

import pytest

SERVER = """
import socket, sys
listener = socket.create_server(("0.0.0.0", 8080))
print("listening", flush=True)
for _ in range(2):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(sys.argv[1].encode() + b" " + connection.recv(100))
"""
CLIENT = """
import socket
with socket.create_connection(("127.0.0.1", 4570), 10) as connection:
    connection.sendall(b"hello")
    connection.shutdown(socket.SHUT_WR)
    print(connection.makefile().read())
"""


def ask(job, port=8080):
    with closing(job.process.connect(port, 10)) as connection:
        connection.sendall(b"hello")
        return connection.recv(100)


def serving(shop, word):
    command = ["python3", "/opt/ml/script.py", word]
    job = shop.start(command, files={"script.py": SERVER}, network=False)
    job.wait_for(b"listening")
    return job


def test_two_jobs_listen_at_the_same_port_at_the_same_time(sandbox):
    jobs = {word: serving(sandbox, word) for word in ("one", "two")}
    for word, job in jobs.items():
        assert ask(job) == f"{word} hello".encode()
        assert ask(job) == f"{word} hello".encode()
        assert job.end().code == 0


def test_a_port_that_nothing_listens_at_refuses(sandbox):
    job = serving(sandbox, "one")
    with pytest.raises(ConnectionRefusedError):
        job.process.connect(8081, 10)
    job.process.kill()
    job.end()
    with pytest.raises(ConnectionError, match="ended"):
        job.process.connect(8080, 10)


def test_a_job_in_the_machines_network_is_connected_to_directly(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        job = sandbox.start(["sleep", "10"])
        with job.process.connect(listener.getsockname()[1], 10):
            pass
        job.process.kill()
        job.end()


@pytest.fixture
def echo():
    """A server outside that answers each connection with what it got, twice."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as stream:
                    connection.sendall(stream.read() * 2)

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_an_outlet_leads_out_of_a_job_without_a_network(sandbox, echo):
    job = sandbox.script(CLIENT, network=False, outlets={4570: echo})
    assert (job.exit.code, job.text.strip()) == (0, "hellohello")


def test_without_an_outlet_nothing_does(sandbox):
    job = sandbox.script(CLIENT, network=False)
    assert job.exit.code == 1
    assert "refused" in job.text


def test_an_outlet_to_nothing_ends_the_connection(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
    job = sandbox.script(CLIENT, network=False, outlets={4570: address})
    assert job.exit.code in (0, 1)


def test_no_thread_of_a_relay_is_left(sandbox, echo):
    sandbox.script("", network=False, outlets={4570: echo})
    deadline = time.monotonic() + 5
    while any(thread.name == "relay" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
