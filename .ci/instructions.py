#!/usr/bin/env python3
"""Holds the instructions and allocations of hits and decisions against benches/instructions.txt.

    .ci/instructions.py            compare
    .ci/instructions.py --write    write the numbers anew
    .ci/instructions.py --all      show all there is, and what it is over the bare router; compare nothing

Instructions are counted by callgrind. They differ by up to 2 % from run to run, because the seeds of hash maps do, so
there is room of 5 % upwards; allocations are exact. Whatever has become cheaper is said, and is no failure: write the
numbers anew, so that it stays so.

Another compiler generates other code. With one that the numbers were not taken with, the room is 20 %. When the compiler
is changed for good, write the numbers anew on a commit that changes nothing else, and look at what changed: what the
compiler did falls on everything alike.
"""

import json
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
NUMBERS = ROOT / "benches" / "instructions.txt"
PINNED = ("alone: ", "decide, ", "parse and bind, ")
ROOM, ROOM_OF_ANOTHER_COMPILER = 0.05, 0.20


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def build(bench):
    """The executable of a benchmark, with default features."""
    lines = output("cargo", "bench", "--locked", "--no-run", "--bench", bench, "--message-format=json").splitlines()
    artifacts = (json.loads(line) for line in lines if line.startswith("{"))
    return next(a["executable"] for a in artifacts if a.get("target", {}).get("name") == bench and a.get("executable"))


def instructions(*names):
    """For each case whose name holds one of these the instructions of one; callgrind writes a file for each, in order."""
    with tempfile.TemporaryDirectory() as folder:
        here = pathlib.Path(folder)
        counted = output(
            "valgrind",
            "-q",
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=instructions::collected",
            "--dump-after=instructions::collected",
            f"--callgrind-out-file={here / 'out'}",
            build("instructions"),
            *names,
        )
        found = {}
        for number, line in enumerate(counted.splitlines(), 1):
            times, name = line.split("\t")
            total = re.search(r"^(?:summary|totals): (\d+)", (here / f"out.{number}").read_text(), re.MULTILINE)
            found[name] = round(int(total[1]) / int(times))
        return found


def allocations():
    """For each case the allocations of one."""
    found = {}
    for line in output(build("allocations")).splitlines():
        columns = re.match(r"(.{52}) +([\d.]+) ", line)
        if columns and columns[1].startswith(PINNED):
            found[columns[1].strip()] = float(columns[2])
    return found


def read():
    """The compiler the numbers were taken with, and the numbers."""
    compiler, numbers = None, {}
    for line in NUMBERS.read_text().splitlines():
        if line.startswith("# rustc"):
            compiler = line.removeprefix("# ")
        elif line and not line.startswith("#"):
            count, allocated, name = line.split(maxsplit=2)
            numbers[name] = (int(count), float(allocated))
    return compiler, numbers


def write(compiler, now):
    lines = ["# Instructions and allocations of one, as .ci/instructions.py counts them.", f"# {compiler}"]
    lines += [f"{count:>8} {allocated:>6} {name}" for name, (count, allocated) in now.items()]
    NUMBERS.write_text("\n".join(lines) + "\n")


def compare(compiler, now):
    taken_with, before = read()
    room = ROOM
    if compiler != taken_with:
        room = ROOM_OF_ANOTHER_COMPILER
        print(f"note: the numbers were taken with {taken_with}, this is {compiler}: there is room of {room:.0%}")
    failed = now.keys() != before.keys()
    if failed:
        print(f"error: other cases than in {NUMBERS.name}: {sorted(now.keys() ^ before.keys())}")
    for name in [name for name in before if name in now]:
        (count, allocated), (old, old_allocated) = now[name], before[name]
        remark = ""
        if count > old * (1 + room) or allocated > old_allocated:
            remark, failed = "  <- too many", True
        elif count < old * (1 - ROOM) or allocated < old_allocated:
            remark = "  <- fewer: write the numbers anew"
        print(f"{count:>8} ({count / old - 1:+6.1%}) {allocated:>6} ({allocated - old_allocated:+.1f})  {name}{remark}")
    return failed


def main():
    if platform.machine() != "x86_64":
        print("the numbers are those of x86-64: nothing to compare here")
        return 0
    if "--all" in sys.argv[1:]:
        counted = instructions()
        for name, count in counted.items():
            print(f"{count:>8} {count - counted['bare']:>+8}  {name}")
        return 0
    compiler = output("rustc", "--version").strip()
    counted, allocated = instructions(*PINNED), allocations()
    now = {name: (count, allocated[name]) for name, count in counted.items()}
    if "--write" in sys.argv[1:]:
        write(compiler, now)
        return 0
    if compare(compiler, now):
        print("error: a hit or a decision costs more than it did. If it has to: .ci/instructions.py --write", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
