import sqlite3
import threading

import pytest

from emulator.store.database import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)"


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "deep" / "state.db", SCHEMA)
    yield database
    database.close()


def numbers(database):
    return [row["n"] for row in database.read("SELECT n FROM numbers ORDER BY n")]


def test_a_committed_transaction_is_seen_by_a_second_database_on_the_file(database):
    with database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
    second = Database(database.path, SCHEMA)
    assert numbers(second) == [1]
    second.close()


def test_a_transaction_that_raises_leaves_nothing(database):
    with pytest.raises(RuntimeError), database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        raise RuntimeError
    assert numbers(database) == []


def test_nested_transactions_are_one(database):
    with pytest.raises(RuntimeError), database.transaction():
        with database.transaction() as connection:
            connection.execute("INSERT INTO numbers VALUES (1)")
        raise RuntimeError
    assert numbers(database) == []


def test_a_reader_does_not_see_and_does_not_wait_for_an_open_transaction(database):
    seen = []
    with database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        reader = threading.Thread(target=lambda: seen.append(numbers(database)))
        reader.start()
        reader.join(5)
    assert seen == [[]]


def test_writers_in_many_threads_take_turns(database):
    def write(start):
        for n in range(start, start + 50):
            with database.transaction() as connection:
                connection.execute("INSERT INTO numbers VALUES (?)", (n,))

    threads = [threading.Thread(target=write, args=(start,)) for start in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(database) == list(range(400))


def test_a_thread_takes_its_connection_with_it(database):
    connections = []

    def read():
        numbers(database)
        connections.append(database.connection)

    for _ in range(3):
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")
    assert numbers(database) == []


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path):
    schema = (
        "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY);"
        " CREATE TABLE IF NOT EXISTS twice (n INTEGER REFERENCES numbers (n) DEFERRABLE INITIALLY DEFERRED);"
    )
    database = Database(tmp_path / "state.db", schema)
    done = []
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        database.after_commit(lambda: done.append("never"))
        connection.execute("INSERT INTO twice VALUES (1)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
    second = Database(database.path, schema)
    assert numbers(second) == [2]
    assert done == []
    second.close()
    database.close()


def test_an_error_that_has_rolled_back_itself_is_told_as_it_is(database):
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
        connection.execute("INSERT OR ROLLBACK INTO numbers VALUES (1)")
    assert numbers(database) == []
