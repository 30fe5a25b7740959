"""`serve`, the way SageMaker asks for it. Some records make it misbehave: `bad`, `boom`, `die`, `slow`."""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WEIGHT = Path(os.environ.get("WEIGHT_FILE", "/opt/ml/model/weight"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/execution-parameters" and "ASK" in os.environ:
            self.answer(200, os.environ["ASK"].encode(), "application/json")
        else:
            self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Type"] == "application/octet-stream":
            self.answer(200, f"{len(body)};".encode())
            return
        body = body.decode()
        print(f"request of {len(body)} bytes, {self.headers['Content-Type']} for {self.headers['Accept']}", flush=True)
        for word, act in ACTS.items():
            if word in body:
                act(self)
                return
        if self.headers["Content-Type"] == "text/csv":
            scores = [add(line.split(",")) for line in body.splitlines() if line]
            self.answer(200, ("\n".join(f"{score:g}" for score in scores)).encode(), "text/csv")
        elif self.headers["Content-Type"] == "application/jsonlines":
            scores = [{"score": add(json.loads(line))} for line in body.splitlines()]
            self.answer(200, "\n".join(map(json.dumps, scores)).encode(), "application/jsonlines")
        else:
            self.answer(200, body.upper().encode(), "text/plain")

    def answer(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def add(numbers):
    return sum(map(float, numbers)) * float(WEIGHT.read_text())


ACTS = {
    "bad": lambda handler: handler.answer(400, b"what is bad?"),
    "boom": lambda handler: handler.answer(500, b"it broke"),
    "die": lambda handler: os._exit(7),
    "slow": lambda handler: time.sleep(60),
}

if __name__ == "__main__":
    assert sys.argv[1:] == ["serve"], sys.argv
    if "NEVER" in os.environ:
        sys.exit("no model, no server")
    print({name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}, flush=True)
    ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", 8080))), Handler).serve_forever()
