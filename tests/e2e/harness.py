"""What the end-to-end drivers share: tools, processes, questions, and a table of what several homes answered."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
LIMIT_SECONDS = 20 * 60

processes = []


class Table:
    """Scenarios, what was expected, and what each home answered."""

    def __init__(self, *homes):
        self.homes = homes
        self.rows = []

    def check(self, scenario, expected, **got):
        """A row. `got` has an answer for each home that was asked; a pattern has to match all of an answer."""
        self.rows.append((scenario, expected, {name.replace("_", " "): value for name, value in got.items()}))

    @staticmethod
    def fits(expected, got):
        if isinstance(expected, re.Pattern):
            return expected.fullmatch(str(got)) is not None
        return expected == got

    def failed(self):
        return [row for row in self.rows if not all(self.fits(row[1], got) for got in row[2].values())]

    def print(self):
        cells = [("scenario", *self.homes, "expected")]
        for scenario, expected, got in self.rows:
            shown = [("same" if self.fits(expected, got[home]) else f"DIFFERS: {got[home]}") if home in got else "-"
                     for home in self.homes]
            shown_expected = expected.pattern if isinstance(expected, re.Pattern) else str(expected)
            cells.append((scenario, *shown, shown_expected))
        widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]) - 1)]
        for row in cells:
            print(" | ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[-1]]))


class Process:
    """A program with its log. It has a process group of its own, so that all of it can be stopped."""

    def __init__(self, name, command, environment=None, directory=ROOT):
        self.name, self.log = name, []
        self.lines = threading.Condition()
        self.process = subprocess.Popen(
            [str(part) for part in command], cwd=directory, env={**clean_environment(), **(environment or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            start_new_session=True,
        )
        processes.append(self)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            with self.lines:
                self.log.append(line.rstrip("\n"))
                self.lines.notify_all()
        with self.lines:
            self.log.append(None)
            self.lines.notify_all()

    def wait_for(self, pattern, seconds=120):
        """The first line that matches."""
        end, seen = time.monotonic() + seconds, 0
        with self.lines:
            while True:
                for line in self.log[seen:]:
                    found = re.search(pattern, line) if line is not None else None
                    if found:
                        return found
                    if line is None:
                        raise SystemExit(f"{self.name} ended before it said `{pattern}`")
                seen = len(self.log)
                if not self.lines.wait(max(0, end - time.monotonic())) and time.monotonic() >= end:
                    raise SystemExit(f"{self.name} did not say `{pattern}` within {seconds} s")

    def stop(self, seconds=10):
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(seconds)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()


def clean_environment():
    """Ours, without what would send local requests elsewhere or lend credentials."""
    ours = {name: value for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith("AWS_")}
    return {**ours, "RUST_BACKTRACE": "0"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(port, method, path, headers=None, body=None, timeout=30):
    """Status, headers and body of one request, which is sent as it is written here."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        sent = dict(headers or {})
        connection.putrequest(method, path, skip_accept_encoding=True, skip_host="host" in sent)
        if body is not None:
            sent.setdefault("content-length", str(len(body)))
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def until_listening(port, process, seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        except OSError:
            if process.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{process.name} does not listen")
            time.sleep(0.1)


def build_examples(*names):
    """The executables of these examples, by name."""
    command = ["cargo", "build", "--locked", "--all-features", "--message-format=json-render-diagnostics"]
    for name in names:
        command += ["--example", name]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    found = {message["target"]["name"]: pathlib.Path(message["executable"]) for message in messages
             if message.get("executable") and message["target"]["kind"] == ["example"]}
    return [found[name] for name in names]


def in_virtual_environment(*requirements):
    """Goes on in a virtual environment that has these packages. It is kept in the target directory."""
    home = TARGET / "e2e-python"
    python = home / "bin" / "python"
    if pathlib.Path(sys.prefix).resolve() != home.resolve():
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
                       check=True)
        os.execv(python, [str(python), *sys.argv])
    return home


def drive(run, *tables):
    """Runs a driver with a directory of its own, stops whatever it started, and prints its tables, and the logs if
    anything is wrong."""
    def give_up(*_):
        raise SystemExit(f"the driver ran for more than {LIMIT_SECONDS} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("the driver was told to stop"))
    signal.alarm(LIMIT_SECONDS)
    finished = False
    scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    try:
        run(pathlib.Path(scratch.name))
        finished = True
    finally:
        for process in reversed(processes):
            process.stop()
        scratch.cleanup()
        failed = 0
        for table in tables:
            table.print()
            failed += len(table.failed())
        count = sum(len(table.rows) for table in tables)
        if failed or not finished:
            for process in processes:
                log = "\n".join(line for line in process.log[-400:] if line is not None)
                print(f"--- log of {process.name} (exit code {process.process.returncode})\n{log}")
        print(f"{count} scenarios, {failed} failed" + ("" if finished else ", not all were run"))
    sys.exit(1 if failed else 0)
