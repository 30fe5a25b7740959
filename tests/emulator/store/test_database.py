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
