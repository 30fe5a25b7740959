"""Every operation that is served, fuzzed from botocore's models: an answer in AWS's form, soon, whatever is asked."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.parsers import create_parser

from emulator.aws.operations import Operation, registered
from emulator.aws.service_models import operation_model
from emulator.gateway.registry import load_services
from emulator.server import Emulator, build
from emulator.settings import Settings
from tests.integration.asgi import Answer, request
from tests.integration.emulators import CONTAINERS
from tests.integration.fuzz import Generator
from tests.integration.seeds import known_names, plant
from tests.integration.wiring import Sent, put_on_wire

SEED = os.environ.get("FUZZ_SEED", "")
"""Another seed, other requests: for longer runs by hand."""
REQUESTS = {"sagemaker": 60, "s3": 25}
"""How many requests each operation of a service gets."""
OTHERS = 40
SECONDS = 5.0
"""Longer is a hang, even on a busy machine."""
GARBAGE = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe\x00",
    b"\x80" * 1000,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"<a>" * 50_000,
    b"&" * 10_000 + b"=" * 10_000,
    b'{"MaxResults":NaN}',
    b'{"NextToken":"\\ud800"}',
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Delete>&b;</Delete>',
]

load_services()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    data_dir = tmp_path_factory.mktemp("fuzz")
    settings = replace(Settings.load({}), data_dir=data_dir, containers_dir=CONTAINERS, stop_grace_seconds=1)
    emulator = build(settings)
    yield emulator
    emulator.close()


@pytest.mark.parametrize("operation", registered(), ids=lambda operation: f"{operation.service}-{operation.name}")
def test_whatever_is_asked_the_answer_is_of_aws(
    emulator: Emulator, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(zlib.crc32(f"{SEED}{operation.service}.{operation.name}".encode()))
    plant(emulator.app)
    generator = Generator(chance, known_names(emulator.app))
    model = operation_model(operation.service, operation.name)
    with caplog.at_level(logging.ERROR):
        asyncio.run(_fuzz(emulator, model, generator))
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def _fuzz(emulator: Emulator, model: Any, generator: Generator) -> None:
    for number in range(REQUESTS.get(model.service_model.service_name, OTHERS)):
        document = generator.plausible(model.input_shape)
        if number % 6:
            document = generator.spoilt(document)
        sent = put_on_wire(model, document)
        check(model, sent, await _answer(emulator, sent))


@pytest.mark.parametrize("service", sorted({operation.service for operation in registered()}))
def test_garbage_for_a_body_is_refused(emulator: Emulator, service: str) -> None:
    async def send_garbage() -> None:
        for operation in [operation for operation in registered() if operation.service == service][::5]:
            model = operation_model(service, operation.name)
            sent = put_on_wire(model, Generator(random.Random(1), ["fuzz"]).plausible(model.input_shape))
            for garbage in GARBAGE:
                changed = replace(sent, body=garbage)
                check(model, changed, await _answer(emulator, changed))

    asyncio.run(send_garbage())


def test_what_fuzzing_leaves_survives_a_restart_and_can_be_listed(tmp_path: Path) -> None:
    settings = replace(Settings.load({}), data_dir=tmp_path, containers_dir=CONTAINERS, stop_grace_seconds=1)
    for start in range(2):
        emulator = build(settings)
        try:
            plant(emulator.app)
            emulator.app.engine.recover()
            emulator.app.jobs.recover()
            for operation in registered():
                if operation.service == "sagemaker" and (start == 0 or operation.name.startswith(("List", "Describe"))):
                    chance = random.Random(zlib.crc32(f"{start}{operation.name}".encode()))
                    model = operation_model("sagemaker", operation.name)
                    asyncio.run(_ask(emulator, model, Generator(chance, known_names(emulator.app)), 5))
        finally:
            emulator.close()


async def _ask(emulator: Emulator, model: Any, generator: Generator, times: int) -> None:
    for _ in range(times):
        sent = put_on_wire(model, generator.plausible(model.input_shape))
        check(model, sent, await _answer(emulator, sent))


async def _answer(emulator: Emulator, sent: Sent) -> Answer:
    began = time.monotonic()
    answer = await request(emulator.gateway, sent.method, sent.path, sent.query, sent.headers, sent.body)
    assert time.monotonic() - began < SECONDS, f"{_shown(sent)} took {time.monotonic() - began:.1f} s"
    return answer


def check(model: Any, sent: Sent, answer: Answer) -> None:
    """The answer is a success as botocore reads it, or an error with a code and a message; never our fault."""
    where = f"{_shown(sent)}\n-> {answer.status} {answer.body[:1500]!r}"
    refused = answer.status == 501 and (sent.method == "HEAD" or b"NotImplemented" in answer.body)
    if answer.status >= 500 and not refused:
        pytest.fail(where, pytrace=False)
    if answer.status >= 400:
        if sent.method != "HEAD" and not _error_code(answer):
            pytest.fail(f"not an error of AWS: {where}", pytrace=False)
    elif answer.status < 300 and b"streaming" not in answer.headers.get("content-type", "").encode():
        parsed = {"status_code": answer.status, "headers": answer.headers, "body": answer.body, "context": {}}
        echoed = b"&#x" in answer.body  # S3 writes what XML forbids as references, unless asked for EncodingType=url
        if not (model.has_streaming_output or model.has_event_stream_output or echoed):
            create_parser(model.service_model.metadata["protocol"]).parse(parsed, model.output_shape)


def _error_code(answer: Answer) -> str:
    if answer.body.startswith(b"{"):
        document = json.loads(answer.body)
        code = document.get("__type") or answer.headers.get("x-amzn-errortype") or document.get("Code") or ""
        return str(code) if document.get("message") or document.get("Message") else ""
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError:
        return ""
    codes = [part.text for part in root.iter() if part.tag.rpartition("}")[2] == "Code"]
    return codes[0] or "" if codes else ""


def _shown(sent: Sent) -> str:
    head = f"{sent.method} {sent.path[:300]!r} ?{sent.query[:300]!r} {dict(sent.headers)}"
    return f"{head[:1500]}\n{sent.body[:1500]!r}"
