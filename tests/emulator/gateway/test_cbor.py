from __future__ import annotations

import gzip
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.aws.operations import Request, Response
from emulator.gateway import cbor
from emulator.services.context import Context
from tests.emulator.gateway.conftest import Register, Wire

# Examples of RFC 8949, Appendix A
EXAMPLES = [
    ("00", 0),
    ("17", 23),
    ("1818", 24),
    ("1903e8", 1000),
    ("1bffffffffffffffff", 2**64 - 1),
    ("20", -1),
    ("3903e7", -1000),
    ("fb3ff199999999999a", 1.1),
    ("f4", False),
    ("f5", True),
    ("f6", None),
    ("4401020304", b"\1\2\3\4"),
    ("62c3bc", "ü"),
    ("83010203", [1, 2, 3]),
    ("a26161016162820203", {"a": 1, "b": [2, 3]}),
]


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_values_are_those_of_the_rfc(text: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(text)) == value
    assert cbor.encode(value) == bytes.fromhex(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("f93e00", 1.5),
        ("fa47c35000", 100000.0),
        ("f97c00", math.inf),
        ("5f42010243030405ff", b"\1\2\3\4\5"),
        ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]),
        ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("c11a514b67b0", datetime(2013, 3, 21, 20, 4, tzinfo=UTC)),
        ("c1fb41d452d9ec200000", datetime(2013, 3, 21, 20, 4, 0, 500_000, tzinfo=UTC)),
        ("f7", None),
    ],
)
def test_other_forms_are_read(text: str, value: Any) -> None:
    assert cbor.decode(bytes.fromhex(text)) == value


def test_times_come_back() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)
    assert cbor.decode(cbor.encode({"at": moment})) == {"at": moment}


@pytest.mark.parametrize(
    "text", ["", "18", "42ff", "62ff", "61ff", "8201", "a10101", "c074", "c160", "c1fb7ff0000000000000", "f8ff", "1c"]
)
def test_what_is_not_cbor_is_refused(text: str) -> None:
    with pytest.raises(cbor.MalformedCbor):
        cbor.decode(bytes.fromhex(text))


def test_a_length_beyond_the_body_costs_nothing() -> None:
    with pytest.raises(cbor.MalformedCbor, match="ends too early"):
        cbor.decode(bytes.fromhex("9bffffffffffffffff01"))


def test_damaged_bodies_become_errors_of_the_protocol(wire: Wire, register: Register) -> None:
    register("cloudwatch", "ListMetrics", lambda request, context: {"Metrics": []})
    path = "/service/GraniteServiceVersion20100801/operation/ListMetrics"
    for body in (b"\xff", b"\x9f" * 100_000):
        response, answer = wire.send("POST", path, body, {"smithy-protocol": "rpc-v2-cbor"})
        assert response.status == 400
        assert response.headers["smithy-protocol"] == "rpc-v2-cbor"
        assert cbor.decode(answer)["__type"] == "SerializationException"


def test_unknown_operations_are_told_in_cbor(wire: Wire) -> None:
    for path in ("/service/GraniteServiceVersion20100801/operation/Nothing", "/service/Nobody/operation/X", "/"):
        response, answer = wire.send("POST", path, b"\xa0", {"smithy-protocol": "rpc-v2-cbor"})
        assert response.status == 400
        assert cbor.decode(answer)["__type"] == "UnknownOperationException"


def test_operations_that_are_not_there_are_refused_by_name(wire: Wire) -> None:
    with pytest.raises(ClientError, match="cloudwatch:PutDashboard") as caught:
        wire.client("cloudwatch").put_dashboard(DashboardName="d", DashboardBody="{}")
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def test_bodies_that_clients_compress_are_unpacked(wire: Wire, register: Register) -> None:
    seen: list[Request] = []

    def put(request: Request, context: Context) -> Response:
        seen.append(request)
        return {}

    register("cloudwatch", "PutMetricData", put)
    data = [{"MetricName": f"metric-{number}", "Value": number / 3} for number in range(500)]
    wire.client("cloudwatch").put_metric_data(Namespace="n", MetricData=data)
    assert seen[0]["MetricData"] == data


def test_damaged_and_foreign_compression_is_refused(wire: Wire, register: Register) -> None:
    register("sts", "GetCallerIdentity", lambda request, context: {})
    whole = gzip.compress(b"Action=GetCallerIdentity&Version=2011-06-15")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert wire.send("POST", "/", whole, headers | {"Content-Encoding": "gzip"})[0].status == 200
    for encoding, body in (("gzip", whole[:-4]), ("gzip", b"no"), ("br", whole)):
        response, answer = wire.send("POST", "/", body, headers | {"Content-Encoding": encoding})
        assert response.status == 400, answer
        assert b"SerializationException" in answer
    bomb = gzip.compress(bytes(40 << 20))
    assert wire.send("POST", "/", bomb, headers | {"Content-Encoding": "gzip"})[0].status == 413
