#!/usr/bin/env python3
"""Drives `examples/cognito.rs` as a user would, over the loopback interface.

It starts the example with cargo, takes over the shell variables that it prints, runs every curl command of its
documentation and compares the answers exactly; then it checks what mistakes in the configuration lead to. Prints a
table; exits with 1 if any row differs, after the log of the service.

Needs python3, curl and cargo, and nothing else.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ["--quiet", "--locked", "--example", "cognito", "--features", "jwks-http,testing"]

rows = []


def check(scenario, expected, got):
    rows.append((scenario, expected, got))


def documented():
    """(command, expected output) for each `$ curl` of the example's documentation."""
    text = (ROOT / "examples/cognito.rs").read_text()
    lines = [line[3:].strip("\n").removeprefix(" ") for line in text.splitlines() if line.startswith("//!")]
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", "\n".join(lines), re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            if command.startswith("curl "):
                found.append((command, output.rstrip("\n")))
    check("every curl command is checked", text.count("//! $ curl "), len(found))
    check("there are curl commands", True, bool(found))
    return found


def environment(home, **more):
    # Neither a proxy nor settings of whoever runs this.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy") and k != "COGNITO_USER_POOL"}
    return {**kept, "CURL_HOME": str(home), **more}


def start(home):
    """The service, once it listens; where; and the lines that it prints for a shell."""
    service = subprocess.Popen(
        ["cargo", "run", *EXAMPLE, "--", "--play"], cwd=ROOT, env=environment(home, PORT="0"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=(home / "log").open("w"), text=True, start_new_session=True,
    )
    lines = []
    for line in service.stdout:
        listening = re.fullmatch(r"listening on http://(127\.0\.0\.1:\d+)\n", line)
        if listening:
            return service, listening.group(1), lines
        lines.append(line)
    raise SystemExit(f"the service did not start\n{(home / 'log').read_text()}")


def run_documentation(home, address, lines):
    tokens = "".join(lines)
    check("what it prints are variables", [], [line for line in lines if not re.fullmatch(r"[A-Z_]+=[\w.-]+\n", line)])
    for number, (command, expected) in enumerate(documented(), 1):
        local = command.replace("127.0.0.1:3000", address)
        check(f"curl {number} goes to the service", True, local != command)
        used = re.findall(r"\$([A-Z_]+)", command)
        check(f"curl {number}: its variable is printed", True, bool(used) and all(f"{name}=" in tokens for name in used))
        done = subprocess.run(["bash", "-c", f"{tokens}\n{local}"], env=environment(home), capture_output=True,
                              text=True, timeout=30)
        check(f"curl {number}: its answer", expected, done.stdout.rstrip("\n") + done.stderr)


def run_mistakes(home):
    def fails(pool, words, *arguments):
        named = {} if pool is None else {"COGNITO_USER_POOL": pool}
        done = subprocess.run(["cargo", "run", *EXAMPLE, "--", *arguments], cwd=ROOT, env=environment(home, PORT="0", **named),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        check(f"COGNITO_USER_POOL={pool} {' '.join(arguments)}", (1, "", True),
              (done.returncode, done.stdout, words in done.stderr))

    fails("eu-west-1_AbCdEfGhI", "expected a pool's id, `/`, and the id of an app client")
    fails("AbCdEfGhI/client", "expected a pool's id, `/`, and the id of an app client")
    fails("evil.example.com_a/client", "its region is none")
    fails(None, "name a pool in COGNITO_USER_POOL, or give the argument `--play`")
    fails(None, "name a pool in COGNITO_USER_POOL, or give the argument `--play`", "--pla")
    fails("eu-west-1_AbCdEfGhI/client", "name a pool in COGNITO_USER_POOL, or give the argument `--play`", "--play")


def main():
    subprocess.run(["cargo", "build", *EXAMPLE], cwd=ROOT, check=True, timeout=1200, stdin=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as scratch:
        home = pathlib.Path(scratch)
        (home / ".curlrc").write_text("max-time = 20\nsilent\n")
        service, address, lines = start(home)
        guard = threading.Timer(300, lambda: os.killpg(service.pid, signal.SIGKILL))
        guard.start()
        try:
            run_documentation(home, address, lines)
            check("it is still running", None, service.poll())
        finally:
            guard.cancel()
            if service.poll() is None:
                os.killpg(service.pid, signal.SIGKILL)
            service.wait()
        run_mistakes(home)
        failed = [row for row in rows if row[1] != row[2]]
        for scenario, expected, got in rows:
            print(f"{'ok  ' if expected == got else 'FAIL'}  {scenario}")
            if expected != got:
                print(f"      expected: {expected!r}\n      got:      {got!r}")
        if failed:
            print((home / "log").read_text())
    print(f"{len(rows)} checks, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
