from emulator.jobs.transform.chain import Chain
from emulator.jobs.transform.server import Answer


class Server:
    """Answers with its name after what it was sent."""

    def __init__(self, name, status=200, content_type="text/csv"):
        self.name, self.status, self.content_type = name, status, content_type
        self.headers = None

    def invoke(self, body, headers):
        self.headers = headers
        return Answer(self.status, self.content_type, body + self.name)

    def execution_parameters(self):
        return {"of": self.name}


SENT = {"Content-Type": "application/json", "Accept": "text/plain"}


def test_each_answer_is_the_next_request():
    servers = [Server(b"a"), Server(b"b", content_type=None), Server(b"c", content_type="text/plain")]
    assert Chain(servers).invoke(b"x", SENT) == Answer(200, "text/plain", b"xabc")
    assert [server.headers for server in servers] == [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/csv"},
        {"Accept": "text/plain"},
    ]


def test_one_server_gets_everything():
    server = Server(b"a")
    assert Chain([server]).invoke(b"x", SENT).body == b"xa"
    assert server.headers == SENT


def test_what_a_container_refuses_goes_no_further():
    servers = [Server(b"a"), Server(b"b", status=415), Server(b"c")]
    assert Chain(servers).invoke(b"x", SENT) == Answer(415, "text/csv", b"xab")
    assert servers[2].headers is None


def test_the_first_container_says_how_it_wants_to_be_asked():
    assert Chain([Server(b"a"), Server(b"b")]).execution_parameters() == {"of": b"a"}
