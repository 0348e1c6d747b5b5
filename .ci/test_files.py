#!/usr/bin/env python3
"""Checks that no file of tests/ is forgotten: code that no test target compiles, data that no test names.

- Rust files have to be among the sources of a test target, as the compiler lists them.
- Other files have to be among those sources too (`include_str!`), or a source names the file or its folder.
- tests/e2e is named by `.ci/run`, or by a driver there; tests/fuzz is a package of its own, named by `.ci/long`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"


def compiled():
    """The files that test targets are made of."""
    command = ["cargo", "test", "--locked", "--no-run", "--all-features", "--tests", "--message-format=json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    found = set()
    for message in map(json.loads, filter(lambda line: line.startswith("{"), output.splitlines())):
        if message["reason"] != "compiler-artifact" or message["target"]["kind"] != ["test"]:
            continue
        # cargo's own `.d` file lies beside the executable's undecorated name, the compiler's beside this one.
        listing = pathlib.Path(message["executable"]).with_suffix(".d").read_text()
        for line in listing.splitlines():
            if line.endswith(":"):
                found.add((ROOT / line[:-1].replace("\\ ", " ")).resolve())
    return found


def tracked():
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "tests"]
    names = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def main():
    sources = compiled()
    code = "\n".join(path.read_text() for path in sources if path.suffix == ".rs")
    driver = (ROOT / ".ci/run").read_text()
    long = (ROOT / ".ci/long").read_text()

    def is_driven(path):
        """Whether a driver imports it, or names it or its folder."""
        names = [path.name] + [folder.name for folder in path.relative_to(TESTS / "e2e").parents if folder.name]
        named = "|".join(re.escape(name) for name in names)
        pattern = rf"import {path.stem}\b" if path.suffix == ".py" else rf"[\"/]({named})[\"/`]"
        drivers = (other for other in (TESTS / "e2e").glob("*.py") if other != path)
        return any(re.search(pattern, other.read_text()) for other in drivers)

    def is_named(path):
        names = [path.name] + [folder.name for folder in path.relative_to(TESTS).parents if folder.name]
        return any(re.search(rf'["/]{re.escape(name)}["/]', code) for name in names)

    def is_used(path):
        inside = path.relative_to(TESTS)
        if path.resolve() in sources:
            return True
        if inside.parts[0] == "e2e":
            return inside.as_posix() in driver or is_driven(path)
        if inside.parts[0] == "fuzz":
            return "tests/fuzz" in long
        if inside.suffix == ".proptest-regressions":
            return path.with_suffix(".rs") in sources
        return path.suffix != ".rs" and is_named(path)

    files = tracked()
    forgotten = sorted(path for path in files if not is_used(path))
    for path in forgotten:
        print(f"error: no test uses {os.path.relpath(path, ROOT)}: declare it with `mod`, name it, or remove it")
    print(f"{len(files)} files, {len(forgotten)} forgotten")
    sys.exit(1 if forgotten else 0)


if __name__ == "__main__":
    main()
