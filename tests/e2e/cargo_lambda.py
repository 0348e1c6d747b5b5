#!/usr/bin/env python3
"""Runs `examples/both_worlds.rs` as a Lambda function under `cargo lambda watch`, and invokes it over HTTP.

Each of the five shapes of event goes through the real runtime API, with good and bad credentials, and the answers are
compared with `tests/e2e/answers.json`. Then the same program is asked as a service of its own, and `examples/remote.rs`
in front of the function. Prints a table; exits
with 1 if any row differs, after the logs.

Needs python3, cargo, and the package index of Python.
"""

import json
import time

import harness

HOME = harness.in_virtual_environment("cargo-lambda==1.9.2")
EVENTS = harness.ROOT / "tests/fixtures/events"
EXPECTED = json.loads((harness.ROOT / "tests/e2e/answers.json").read_text())
FUNCTION = "both_worlds"
GOOD, BAD = "Bearer open sesame", "Bearer open barley"

IMPLICIT = '{"Message":"User is not authorized to access this resource"}'

table = harness.Table("function", "service", "remote")


MANIFEST = """
[package]
name = "both_worlds"
version = "0.0.0"
edition = "2024"

[workspace]
"""

SHIM = """
use std::os::unix::process::CommandExt;

fn main() {
    let error = std::process::Command::new(env!("EXAMPLE")).exec();
    panic!("{error}");
}
"""


class Function:
    """The example under `cargo lambda watch`, which runs binaries of packages only: it gets one that becomes the
    example as soon as it starts."""

    def __init__(self, executable, scratch):
        package = scratch / "both_worlds"
        (package / "src").mkdir(parents=True)
        (package / "Cargo.toml").write_text(MANIFEST)
        (package / "src/main.rs").write_text(SHIM)
        self.port = harness.free_port()
        command = [
            HOME / "bin/cargo-lambda", "lambda", "watch", "--ignore-changes", "--invoke-address", "127.0.0.1",
            "--invoke-port", self.port,
        ]
        environment = {"CARGO_TARGET_DIR": str(scratch / "target"), "EXAMPLE": str(executable)}
        self.process = harness.Process("cargo lambda watch", command, environment, package)
        harness.until_listening(self.port, self.process)

    def invoke(self, event, timeout=60):
        path = f"/2015-03-31/functions/{FUNCTION}/invocations"
        headers = {"content-type": "application/json"}
        status, headers, text = harness.ask(self.port, "POST", path, headers, event.encode(), timeout)
        return status, headers.get("x-amz-function-error"), text


def with_token(name, token):
    """An event of the fixtures, as JSON, with this token wherever its kind has one."""
    event = json.loads((EVENTS / f"{name}.json").read_text())
    if event["type"] == "TOKEN":
        event["authorizationToken"] = token
        return json.dumps(event)
    for member in ("headers", "multiValueHeaders"):
        headers = {key: value for key, value in event.get(member, {}).items() if key.lower() != "authorization"}
        headers["authorization"] = [token] if member == "multiValueHeaders" else token
        if member in event:
            event[member] = headers
    return json.dumps(event)


def answer(function, event):
    """The answer, and how long it is good, if it says so."""
    status, error, text = function.invoke(event)
    got = json.loads(text)
    expires_at = got.get("context", {}).pop("authorizerExpiresAt", None) if isinstance(got, dict) else None
    return {"status": status, "failed": error is not None, "body": got}, expires_at


def failure(message):
    """`cargo lambda watch` reports it with status 500 and without `X-Amz-Function-Error`. The Invoke API of AWS has
    status 200 and that header: Lambda Developer Guide, "Invoke"."""
    kind = "Unauthorized" if message == "Unauthorized" else "AuthorizerFailure"
    return {"status": 500, "failed": False, "body": {"errorType": kind, "errorMessage": message}}


def run(scratch):
    executable, remote = harness.build_examples("both_worlds", "remote")
    service = harness.Process("both_worlds as a service", [executable], {"PORT": "0"})
    port = int(service.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))
    function = Function(executable, scratch)
    for name, expected in EXPECTED.items():
        got, expires_at = answer(function, with_token(name, GOOD))
        table.check(f"{name}: good credentials", {"status": 200, "failed": False, "body": expected}, function=got)
        # A minute, rounded up, less what the invocation took.
        good = expires_at is not None and 30 <= expires_at - time.time() <= 62
        table.check(f"{name}: good for a minute", True, function=good)
        got, _ = answer(function, with_token(name, BAD))
        table.check(f"{name}: bad credentials", failure("Unauthorized"), function=got)
    for scenario, text in (("not an event", "{}"), ("not JSON's object", "7"),
                           ("a member twice", with_token("rest_token", GOOD)[:-1] + ', "type": "TOKEN"}')):
        got, _ = answer(function, text)
        table.check(scenario, failure("authorizer failure"), function=got)
    got, _ = answer(function, with_token("rest_token", GOOD))
    table.check("and it still answers", False, function=got["failed"])

    for token, method, path, expected in (
        (GOOD, "GET", "/cave/gold", "200 ali-baba finds gold"),
        (GOOD, "PUT", "/cave/gold", f"403 {IMPLICIT}"),
        (BAD, "GET", "/cave/gold", '401 {"message":"Unauthorized"}'),
    ):
        status, _, text = harness.ask(port, method, path, {"authorization": token})
        table.check(f"{method} {path} with `{token}`", expected, service=f"{status} {text}")

    environment = {"FUNCTION_ENDPOINT": f"http://127.0.0.1:{function.port}", "FUNCTION_NAME": FUNCTION, "PORT": "0"}
    remote = harness.Process("the example in front of the function", [remote], environment)
    port = int(remote.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))
    for token, expected in ((BAD, '401 {"message":"Unauthorized"}'), (GOOD, f"403 {IMPLICIT}")):
        status, _, text = harness.ask(port, "GET", "/orders/7", {"authorization": token})
        table.check(f"GET /orders/7 with `{token}`", expected, remote=f"{status} {text}")


if __name__ == "__main__":
    harness.drive(run, table)
