#!/usr/bin/env python3
"""Runs what the documentation of each example in `examples/` says, and compares what comes of it.

Every `$` line of a console block is a command. `cargo run --example …` that is said to listen starts the service, on a
free port, and a line that ends in `&` a program beside it; all others are run as they stand, from the root of the
repository, and must print what stands below them.
Prints a table; exits with 1 if any row differs, after the logs of the services.

    tests/e2e/examples.py [--all-features] [EXAMPLE …]

`--all-features` is added to each command of cargo, so that what was built with it is not built again.
Needs python3, bash, curl, cargo, and node for the example that says so.
"""

import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")

# Examples whose documentation needs more than this driver has, and who runs it instead.
ELSEWHERE = {
    "cognito": "tests/e2e/cognito.py",
    "lambda_handler": "tests/e2e/gateways.py",
}

rows, logs = [], []


def check(scenario, expected, got):
    rows.append((scenario, expected, got, expected == got))


def name_of(path):
    """An example is a file, or a folder with a `main.rs`."""
    return path.parent.name if path.name == "main.rs" else path.stem


def commands(path):
    """(command, expected output) for each `$` line of the console blocks at the head of an example."""
    head = []
    for line in path.read_text().splitlines():
        if not line.startswith("//!"):
            break
        head.append(line[4:])
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", "\n".join(head) + "\n", re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command = re.match(r"(?:.*\\\n)*.*\n", part).group(0)
            found.append((command.strip(), part[len(command):].rstrip("\n")))
    return found


def environment(scratch):
    values = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    values.update(CURL_HOME=str(scratch), PORT="0", DATABASE=str(scratch / "users.redb"))
    return values


class Program:
    """A program that listens, with whatever it starts."""

    def __init__(self, command, scratch):
        self.process = subprocess.Popen(
            ["bash", "-c", command], cwd=ROOT, env=environment(scratch), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        self.log, self.lines = [], queue.Queue()
        for stream, put in ((self.process.stdout, self.lines.put), (self.process.stderr, self.log.append)):
            threading.Thread(target=self.read, args=(stream, put), daemon=True).start()
        logs.append((command, self.log))
        first = self.lines.get(timeout=1200) or ""
        found = LISTENING.fullmatch(first)
        self.port = found and found.group(1)
        self.first_line = first.replace(self.port, "3000") if found else first

    @staticmethod
    def read(stream, put):
        for line in stream:
            put(line.rstrip("\n"))
        put(None)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def run(command, scratch):
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment(scratch), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=1200)
    return (done.stdout + done.stderr).rstrip("\n")


def run_example(path, scratch, flags):
    name, service, beside, ports = name_of(path), None, [], {}
    found = commands(path)
    check(f"{name}: its documentation says how to run it", True, any("cargo run" in command for command, _ in found))
    try:
        for number, (command, expected) in enumerate(found, 1):
            local = re.sub(r"\bcargo run\b", f"cargo run --locked{flags}", command)
            for stated, real in ports.items():
                local = local.replace(f"127.0.0.1:{stated}", f"127.0.0.1:{real}")
            if command.endswith(" &"):
                # It is told its port by a number, which others are told too.
                stated = re.search(r"\b[1-9]\d{3,4}\b", command).group(0)
                beside.append(Program(re.sub(rf"\b{stated}\b", "0", local[:-2]), scratch))
                ports[stated] = beside[-1].port
                check(f"{name} {number}: it starts", True, beside[-1].port is not None)
                continue
            if LISTENING.match(expected) and "cargo run" in command:
                service = Program(local, scratch)
                check(f"{name} {number}: it starts", expected.splitlines()[0], service.first_line)
                continue
            if "127.0.0.1:3000" in command:
                if service is None or service.port is None:
                    check(f"{name} {number}: {command}", expected, "there is no service to ask")
                    continue
                local = local.replace("127.0.0.1:3000", f"127.0.0.1:{service.port}")
            got = run(local, scratch)
            # What a service counts beside its answers may come a moment later than they do.
            deadline = time.monotonic() + 10
            while got != expected and "/shadow" in command and time.monotonic() < deadline:
                time.sleep(0.1)
                got = run(local, scratch)
            check(f"{name} {number}: {command}", expected, got)
    finally:
        for program in beside + ([service] if service else []):
            program.stop()


def print_table():
    def short(value, width):
        text = (value if isinstance(value, str) else repr(value)).replace("\n", "⏎")
        return text if len(text) <= width else text[: width - 20] + " … " + text[-17:]

    for scenario, expected, got, passed in [("scenario", "expected", "got", None)] + rows:
        mark = {True: "ok  ", False: "FAIL", None: "    "}[passed]
        print(f"{mark}  {short(scenario, 76):<76}  {short(expected, 60):<60}  {short(got, 60)}")


def main():
    arguments = sys.argv[1:]
    flags = " --all-features" if "--all-features" in arguments else ""
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    paths = sorted([*(ROOT / "examples").glob("*.rs"), *(ROOT / "examples").glob("*/main.rs")], key=name_of)
    unknown = set(wanted) - set(map(name_of, paths))
    if unknown:
        raise SystemExit(f"there is no example {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / ".curlrc").write_text("max-time = 20\nno-progress-meter\n")
        for path in paths:
            name = name_of(path)
            if wanted and name not in wanted:
                continue
            if name in ELSEWHERE:
                where = ELSEWHERE[name]
                check(f"{name}: is run by {where}", True, (ROOT / where).exists())
                continue
            run_example(path, scratch, flags)
    print_table()
    failed = [row for row in rows if not row[3]]
    for scenario, expected, got, _ in failed:
        print(f"\nFAIL {scenario}\nexpected:\n{expected}\ngot:\n{got}", file=sys.stderr)
    if failed:
        for command, log in logs:
            print(f"\nlog of {command}:\n" + "\n".join(line for line in log if line is not None), file=sys.stderr)
    print(f"\n{len(rows) - len(failed)} of {len(rows)} rows are as expected")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
