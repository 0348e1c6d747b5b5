#!/usr/bin/env python3
"""Drives `examples/remote.rs` with an authorizer function in JavaScript, over the loopback interface.

The function is invoked in two places: in a small runtime of ours for Node, and in `ministack`, a local AWS. Clients of
the example have to read the same in both. Prints a table; exits with 1 if any row differs, after the logs.

Needs python3, node, cargo, and the package index of Python.
"""

import re

import harness
import ministack

HOME = harness.in_virtual_environment(*ministack.REQUIREMENTS)
NODE = harness.ROOT / "tests/e2e/node_authorizer"
FUNCTION = "orders-authorizer"

IMPLICIT = '{"Message":"User is not authorized to access this resource"}'
EXPLICIT = IMPLICIT[:-2] + ' with an explicit deny in an identity-based policy"}'
UNAUTHORIZED = '401 {"message":"Unauthorized"}'
FAILURE = '500 {"message":null}'

table = harness.Table("Node", "ministack")


class Example:
    """The example, in front of a function somewhere."""

    def __init__(self, executable, name, endpoint, function=FUNCTION):
        environment = {"FUNCTION_ENDPOINT": endpoint, "FUNCTION_NAME": function, "PORT": "0"}
        self.process = harness.Process(f"the example in front of {name}", [executable], environment)
        self.port = int(self.process.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))

    def ask(self, token, method="GET", path="/orders/7"):
        headers = {"authorization": token} if token is not None else {}
        status, _, text = harness.ask(self.port, method, path, headers)
        return f"{status} {text.rstrip()}"


def serve_node(port=0):
    process = harness.Process("the function in Node", ["node", NODE / "serve.js", port])
    return process, int(process.wait_for(r"^listening on http://127\.0\.0\.1:(\d+)$").group(1))


def run(scratch):
    (executable,) = harness.build_examples("remote")
    aws = ministack.Ministack(HOME, scratch)
    arn = aws.create_function(FUNCTION, "nodejs20.x", "index.handler", {"index.js": NODE / "index.js"})
    node, port = serve_node()
    urls = {"Node": f"http://127.0.0.1:{port}", "ministack": f"http://127.0.0.1:{aws.port}"}
    homes = {name: Example(executable, name, url) for name, url in urls.items()}
    run_requests(homes)
    named = {name: Example(executable, name, url, arn) for name, url in urls.items()}
    table.check("named by its ARN", "200 order 7 for user|a1b2c3d4, who is 12 years old",
                **{name: home.ask("allow") for name, home in named.items()})
    nobody = {name: Example(executable, name, url, "no-such-function") for name, url in urls.items()}
    table.check("a function that is not there", FAILURE, **{name: home.ask("allow") for name, home in nobody.items()})
    run_outage(homes["Node"], node, port)


def run_requests(homes):
    def check(scenario, expected, *arguments, **more):
        table.check(scenario, expected, **{name: home.ask(*arguments, **more) for name, home in homes.items()})

    check("allowed", "200 order 7 for user|a1b2c3d4, who is 12 years old", "allow")
    check("allowed, from the cache", "200 order 8 for user|a1b2c3d4, who is 12 years old", "allow", path="/orders/8")
    check("another method", f"403 {IMPLICIT}", "allow", method="DELETE")
    check("another path", f"403 {IMPLICIT}", "allow", path="/admin")
    check("an escaped path", '400 {"message":"Bad Request"}', "allow", path="/%6Frders/7")
    check("explicitly denied", f"403 {EXPLICIT}", "deny")
    check("a policy about nothing", f"403 {IMPLICIT}", "nothing")
    check("no token", UNAUTHORIZED, None)
    check("an empty token", UNAUTHORIZED, "")
    check("the word, given to the callback", UNAUTHORIZED, "unauthorized")
    check("the word, thrown", UNAUTHORIZED, "thrown")
    check("more than the word", FAILURE, "reason")
    check("the word, returned", FAILURE, "returned")
    check("another error", FAILURE, "who is this?")
    check("nothing returned", FAILURE, "undefined")
    check("no principal", FAILURE, "nobody")
    check("a misspelt policy", FAILURE, "misspelt")
    check("a list in the context", FAILURE, "nested")
    check("a simple response", FAILURE, "simple")
    check("300 kB", FAILURE, "huge")
    # An answer that has expired is used once: the function counts how often it was asked.
    first, second = ({name: home.ask("once") for name, home in homes.items()} for _ in range(2))
    table.check("an answer that expires at once", re.compile(r"200 order 7 for .*, who is \d+ years old"), **first)
    table.check("its next request is asked about anew", True, **{name: first[name] != second[name] for name in homes})


def run_outage(home, node, port):
    node.stop()
    table.check("the function is gone: a cached answer", "200 order 9 for user|a1b2c3d4, who is 12 years old",
                Node=home.ask("allow", path="/orders/9"))
    table.check("the function is gone: an answer that is not cached", FAILURE, Node=home.ask("once"))
    serve_node(port)
    table.check("the function is back", re.compile(r"200 order 7 for .*, who is 1 years old"), Node=home.ask("once"))


if __name__ == "__main__":
    harness.drive(run, table)
