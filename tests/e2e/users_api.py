#!/usr/bin/env python3
"""Drives `examples/users_api` as a user would, over the loopback interface.

It starts the example with cargo, runs every curl command of the README and compares the answers exactly, then checks
what the README does not show: hostile requests, bad bodies, a restart, a stop with a request in flight, and mistakes
in the configuration. Prints a table; exits with 1 if any row differs, after the logs of the service.

Needs python3, curl and cargo, and nothing else.
"""

import http.client
import json
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = ["cargo", "run", "--quiet", "--locked", "--example", "users_api"]
HEADER = {"headerauth1": "headerValue1"}
JSON = {"content-type": "application/json"}
QUERY = "?QueryString1=queryValue1"
RECORD = '{"age":"1001","height":"300","income":"200"}'
STORED = '{"userid":"me","age":"1001","height":"300","income":"200"}'
IMPLICIT = '{"Message":"User is not authorized to access this resource"}'
EXPLICIT = IMPLICIT[:-2] + ' with an explicit deny in an identity-based policy"}'
UNAUTHORIZED = '{"message":"Unauthorized"}'
BAD_REQUEST = '{"message":"Bad Request"}'

rows = []
services = []


def check(scenario, expected, got):
    """Adds a row to the table. An expected value that is a pattern has to match all of what was got."""
    if isinstance(expected, re.Pattern):
        rows.append((scenario, expected.pattern, got, expected.fullmatch(str(got)) is not None))
    else:
        rows.append((scenario, expected, got, expected == got))


class Service:
    """The example, as one process. cargo replaces itself with it, so signals reach it."""

    def __init__(self, database, port="0"):
        environment = dict(os.environ, PORT=port, DATABASE=str(database))
        self.process = subprocess.Popen(
            RUN, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        services.append(self)
        self.log, self.lines = [], queue.Queue()
        for stream, put in ((self.process.stdout, self.lines.put), (self.process.stderr, self.log.append)):
            threading.Thread(target=self.read, args=(stream, put), daemon=True).start()
        self.first_line = self.lines.get(timeout=120)
        self.port = None

    @staticmethod
    def read(stream, put):
        for line in stream:
            put(line.rstrip("\n"))
        put(None)

    def listening(self):
        found = re.fullmatch(r"listening on http://127\.0\.0\.1:(\d+)", self.first_line or "")
        if found is None:
            raise SystemExit(f"the service did not start: its first line is {self.first_line!r}\n{self.text()}")
        self.port = int(found.group(1))
        return self

    def text(self):
        return "\n".join(line for line in self.log if line is not None)

    def tell(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=15):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return f"still running after {seconds} s"

    def stop(self, number=signal.SIGTERM):
        self.tell(number)
        return self.wait()

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def ask(self, method, path, headers=None, body=None):
        """The status and the body, as one text."""
        status, _, text = self.ask_all(method, path, headers, body)
        return f"{status} {text}"

    def ask_all(self, method, path, headers=None, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers.items() if isinstance(headers, dict) else headers or []):
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body.encode() if body is not None else None)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def post(self, body, headers=None):
        return self.ask("POST", "/users" + QUERY, {**HEADER, **JSON, **(headers or {})}, body)


def readme_commands():
    """(command, expected output) for each `$ curl` of the README's console blocks."""
    found = []
    text = (ROOT / "README.md").read_text()
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command = re.match(r"(?:.*\\\n)*.*\n", part).group(0)
            if command.startswith("curl "):
                found.append((command.strip(), part[len(command):].rstrip("\n")))
    mentioned = len(re.findall(r"^\$ curl ", text, re.MULTILINE))
    check("README: every curl command is checked", mentioned, len(found))
    check("README: there are curl commands", True, bool(found))
    return found


def run_readme(service, home):
    (home / ".curlrc").write_text("max-time = 20\n")
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment.update(CURL_HOME=str(home), HOME=str(home))
    for number, (command, expected) in enumerate(readme_commands(), 1):
        local = command.replace("127.0.0.1:3000", f"127.0.0.1:{service.port}")
        check(f"README: curl {number} goes to the service", True, local != command)
        done = subprocess.run(["bash", "-c", local], env=environment, capture_output=True, text=True, timeout=30)
        check(f"README: curl {number}", expected, done.stdout.rstrip("\n") + done.stderr)


def run_requests(service):
    ask = service.ask
    me = "/users/me" + QUERY
    check("no parameters", f"401 {UNAUTHORIZED}", ask("GET", "/users/me"))
    check("no header", f"401 {UNAUTHORIZED}", ask("GET", me))
    check("no query parameter", f"401 {UNAUTHORIZED}", ask("GET", "/users/me", HEADER))
    check("empty header", f"401 {UNAUTHORIZED}", ask("GET", me, {"headerauth1": ""}))
    check("wrong header", f"401 {UNAUTHORIZED}", ask("GET", me, {"headerauth1": "headerValue2"}))
    check("wrong case of the header's value", f"401 {UNAUTHORIZED}", ask("GET", me, {"headerauth1": "headervalue1"}))
    check("another case of the header's name", f"200 {STORED}", ask("GET", me, {"HeaderAuth1": "headerValue1"}))
    check("wrong query parameter", f"401 {UNAUTHORIZED}", ask("GET", "/users/me?QueryString1=x", HEADER))
    check("wrong case of its name", f"401 {UNAUTHORIZED}", ask("GET", "/users/me?querystring1=queryValue1", HEADER))
    check("the header twice", f"401 {UNAUTHORIZED}", ask("GET", me, [("headerauth1", "headerValue1")] * 2))
    check("the query parameter twice", f"401 {UNAUTHORIZED}", ask("GET", f"{me}&QueryString1=queryValue1", HEADER))
    check("the stage variable is not the client's", f"401 {UNAUTHORIZED}",
          ask("GET", "/users/me?StageVar1=stageValue1", {**HEADER, "StageVar1": "stageValue1"}))

    check("somebody else", f"403 {IMPLICIT}", ask("GET", "/users/someone-else" + QUERY, HEADER))
    check("somebody whose name begins alike", f"403 {IMPLICIT}", ask("GET", "/users/mel" + QUERY, HEADER))
    check("the list of all users", f"403 {IMPLICIT}", ask("GET", "/users" + QUERY, HEADER))
    check("a path that is not there", f"403 {IMPLICIT}", ask("GET", "/admin" + QUERY, HEADER))
    check("DELETE oneself", f"403 {EXPLICIT}", ask("DELETE", me, HEADER))
    check("DELETE somebody else", f"403 {EXPLICIT}", ask("DELETE", "/users/someone-else" + QUERY, HEADER))
    status, headers, text = service.ask_all("GET", "/users/someone-else" + QUERY, HEADER)
    check("headers of a refusal", ("application/json", "no-store", "AccessDeniedException", None),
          (headers["content-type"], headers["cache-control"], headers["x-amzn-ErrorType"], headers["allow"]))

    for path in ("//users/me", "/users//me", "/users/./me", "/users/x/../me", "/users/%6De", "/users%2Fme",
                 "/users/me/%2e%2e/x", "/users\\me", "/users/me%00", "/users/%zz", "/users/me/%ff"):
        check(f"hostile path {path}", f"400 {BAD_REQUEST}", ask("GET", path + QUERY, HEADER))
    check("OPTIONS *", f"400 {BAD_REQUEST}", ask("OPTIONS", "*", HEADER))

    message = '{"message":"use a method that the header `allow` names"}'
    status, headers, text = service.ask_all("PUT", me, HEADER)
    check("PUT an allowed path", (f"405 {message}", "GET,HEAD"), (f"{status} {text}", headers["allow"]))
    check("below oneself", '404 {"message":"there is nothing here"}', ask("GET", "/users/me/orders" + QUERY, HEADER))
    check("HEAD", "200 ", ask("HEAD", me, HEADER))
    status, headers, text = service.ask_all("PUT", "/users/me")
    check("405 tells strangers nothing", (401, None), (status, headers["allow"]))

    for scenario, status, body in (
        ("half a body", 400, '{"age":'), ("no JSON", 400, "age=1001"), ("an empty body", 400, ""),
        ("more after the body", 400, RECORD + "}"),
        ("a missing member", 422, '{"age":"1001"}'), ("a number", 422, RECORD.replace('"300"', "300")),
        ("null", 422, RECORD.replace('"300"', "null")), ("a list", 422, '["1001","300","200"]'),
        ("a member twice", 422, RECORD[:-1] + ',"age":"1"}'),
        ("a body of 20 kB", 413, " " * 20_000 + RECORD),
    ):
        got = service.post(body)
        check(f"POST {scenario}", (status, True), (int(got[:3]), is_problem(got[4:])))
    got = ask("POST", "/users" + QUERY, HEADER, RECORD)
    check("POST without a content type", (415, True), (int(got[:3]), is_problem(got[4:])))
    check("a bad body changed nothing", f"200 {STORED}", ask("GET", me, HEADER))
    check("POST with a `userid` of its own", f"201 {STORED}",
          service.post('{"userid":"someone-else","x":1,' + RECORD[1:]))
    check("POST without authorization", f"401 {UNAUTHORIZED}", ask("POST", "/users" + QUERY, JSON, RECORD))


def is_problem(text):
    """Whether it is JSON with a message and nothing else."""
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return list(value) == ["message"] and bool(value["message"])


def run_in_flight(service):
    """Begins an upload, has the service told to stop, ends the upload, and reads the answer."""
    body = RECORD.replace("1001", "1002")
    head = f"POST /users{QUERY} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in {**HEADER, **JSON}.items()) + "\r\n"
    idle = socket.create_connection(("127.0.0.1", service.port), timeout=15)
    with idle, socket.create_connection(("127.0.0.1", service.port), timeout=15) as client:
        client.sendall((head + body[:10]).encode())
        time.sleep(0.5)
        service.tell(signal.SIGTERM)
        check("SIGTERM: new connections are refused", True, eventually_refused(service.port))
        check("SIGTERM: it waits for the request in flight", None, service.process.poll())
        client.sendall(body[10:].encode())
        response = http.client.HTTPResponse(client)
        response.begin()
        check("SIGTERM: the request in flight is answered", f"201 {STORED.replace('1001', '1002')}",
              f"{response.status} {response.read().decode()}")
    check("SIGTERM: exit code after that", 0, service.wait())


def eventually_refused(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def run_mistakes(scratch):
    """Mistakes in the configuration end the program with a message that says what to do."""

    def fails(scenario, expected, **environment):
        settings = {"PORT": "0", "DATABASE": str(scratch / "mistakes.redb"), **environment}
        done = subprocess.run(RUN, cwd=ROOT, env=dict(os.environ, **settings), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        # What cargo has to say about the build comes first.
        message = done.stderr.rstrip("\n").rpartition("\n")[2]
        matches = re.fullmatch(expected, message) is not None
        check(scenario, (1, "", "as expected"), (done.returncode, done.stdout, "as expected" if matches else message))

    for port in ("http", "", "-1", "65536"):
        fails(f"PORT={port}", f"error: PORT is `{port}`: set it to a number from 0 to 65535", PORT=port)
    (scratch / "text.redb").write_text("this is not a database\n" * 1000)
    for name in (".", "text.redb", "no-such-directory/users.redb"):
        path = scratch / name
        fails(f"DATABASE={name}", r"error: cannot open the database `[^`]*`: set DATABASE to another file \(.+\)",
              DATABASE=str(path))
    check("a file that is no database is left alone", True, (scratch / "text.redb").read_text().startswith("this is"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fails("a port in use", rf"error: cannot listen on 127\.0\.0\.1:{port}: set PORT to a free port, .+", PORT=str(port))


def run(scratch):
    build = ["cargo", "build", "--quiet", "--locked", "--example", "users_api"]
    subprocess.run(build, cwd=ROOT, check=True, timeout=1200, stdin=subprocess.DEVNULL)
    database = scratch / "users.redb"
    me = "/users/me" + QUERY

    service = Service(database).listening()
    check("before anything was stored", '404 {"message":"there is no such user"}', service.ask("GET", me, HEADER))
    run_readme(service, scratch)
    run_requests(service)
    check("SIGTERM: exit code", 0, service.stop())

    service = Service(database).listening()
    check("the record survives a restart", f"200 {STORED}", service.ask("GET", me, HEADER))
    second = Service(database)
    check("a second service on the same database", (None, 1), (second.first_line, second.wait()))
    run_in_flight(service)

    service = Service(database).listening()
    check("what was in flight was stored", f"200 {STORED.replace('1001', '1002')}", service.ask("GET", me, HEADER))
    check("Ctrl-C: exit code", 0, service.stop(signal.SIGINT))
    run_mistakes(scratch)


def print_table():
    def short(value):
        text = value if isinstance(value, str) else repr(value)
        return text if len(text) <= 72 else text[:50] + " … " + text[-19:]

    width = max(len(row[0]) for row in rows)
    for scenario, expected, got, passed in [("scenario", "expected", "got", None)] + rows:
        mark = {True: "ok  ", False: "FAIL", None: "    "}[passed]
        print(f"{mark}  {scenario:<{width}}  {short(expected):<72}  {short(got)}")
        if passed is False:
            print(f"      expected: {expected!r}\n      got:      {got!r}")


def main():
    signal.signal(signal.SIGALRM, lambda *_: sys.exit("the driver ran for more than 30 minutes"))
    signal.alarm(30 * 60)
    finished = False
    with tempfile.TemporaryDirectory() as scratch:
        try:
            run(pathlib.Path(scratch))
            finished = True
        finally:
            for service in services:
                service.kill()
            if rows:
                print_table()
            failed = sum(not row[3] for row in rows)
            if failed or not finished:
                for number, service in enumerate(services, 1):
                    print(f"--- log of service {number} (exit code {service.process.returncode})\n{service.text()}")
            print(f"{len(rows)} scenarios, {failed} failed" + ("" if finished else ", not all were run"))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
