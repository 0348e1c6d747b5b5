#!/usr/bin/env python3
"""Holds the foreign crates whose types are part of the public API against the table in docs/DESIGN.md.

It reads what rustdoc knows of the API, with all features. That output is not stable: a compiler that writes it in another
form than this script knows is an error, not a pass.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Crates whose types are those of another, and the standard library's.
SAME = {"serde_core": "serde"}
OURS = {"alloc", "core", "std", "tower_lambda_authorizer"}
# The projections of pinned futures are named by their bounds only; nobody can use them.
HIDDEN = {"pin_project_lite"}


def description():
    """From RUSTDOC_JSON if that is set, or made in a folder of its own: other builds need not begin anew."""
    if "RUSTDOC_JSON" in os.environ:
        return json.loads(pathlib.Path(os.environ["RUSTDOC_JSON"]).read_text())
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "public-api"
    command = ["cargo", "rustdoc", "--locked", "--lib", "--all-features", "--", "-Zunstable-options", "--output-format=json"]
    environment = dict(os.environ, CARGO_TARGET_DIR=str(target), RUSTC_BOOTSTRAP="1")
    subprocess.run(command, cwd=ROOT, check=True, env=environment)
    return json.loads((target / "doc" / "tower_lambda_authorizer.json").read_text())


class Api:
    def __init__(self, description):
        self.index = description["index"]
        self.paths = description["paths"]
        self.crates = {number: crate["name"] for number, crate in description["external_crates"].items()}
        self.root = str(description["root"])
        self.found, self.seen = {}, set()

    def item(self, number):
        return self.index.get(str(number))

    def note(self, value, owner):
        """Finds what a signature names: types, and traits in bounds."""
        if isinstance(value, dict):
            if "id" in value and "path" in value:
                path = self.paths.get(str(value["id"]))
                if path is not None and path["crate_id"] != 0:
                    crate = self.crates[str(path["crate_id"])]
                    self.found.setdefault(SAME.get(crate, crate), set()).add(f"{owner}: {'::'.join(path['path'])}")
            value = list(value.values())
        if isinstance(value, list):
            for inner in value:
                self.note(inner, owner)

    def visit(self, number):
        item = self.item(number)
        if item is None or number in self.seen:
            return
        self.seen.add(number)
        (kind, body), = item["inner"].items()
        name = item["name"] or ""
        if kind == "module":
            for inner in body["items"]:
                self.visit(inner)
        elif kind == "use":
            if body["id"] is not None:
                self.visit(body["id"])
        elif kind in ("struct", "enum"):
            self.note(body["generics"], name)
            self.visit_fields(body, name)
            for number in body["impls"]:
                self.visit_impl(self.item(number)["inner"]["impl"], name)
        elif kind == "trait":
            self.note([body["generics"], body["bounds"]], name)
            for inner in body["items"]:
                self.note(self.item(inner)["inner"], name)
        else:
            self.note(body, name)

    def visit_fields(self, body, name):
        variants = [self.item(variant)["inner"]["variant"] for variant in body.get("variants", [])]
        for part in variants or [body]:
            form = part["kind"]
            if isinstance(form, dict):
                (_, fields), = form.items()
                fields = fields["fields"] if isinstance(fields, dict) else fields
                for field in filter(None, map(self.item, filter(None, fields))):
                    self.note(field["inner"], name)

    def visit_impl(self, implementation, name):
        if implementation["is_synthetic"] or implementation["blanket_impl"] is not None:
            return
        trait = implementation["trait"]
        self.note([implementation["generics"], trait], name)
        for inner in map(self.item, implementation["items"]):
            if inner is not None and (trait or inner["visibility"] == "public"):
                self.note(inner["inner"], name)


def documented():
    text = (ROOT / "docs" / "DESIGN.md").read_text().partition("### Foreign types in the public API")[2]
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def main():
    api = Api(description())
    api.visit(api.root)
    found = {crate: uses for crate, uses in api.found.items() if crate not in OURS | HIDDEN}
    allowed = documented()
    if len(found) < 3 or not allowed:
        sys.exit("error: the API or the table was not understood: this compiler's description has another form")
    for crate in sorted(set(found) - allowed):
        print(f"error: types of `{crate}` are part of the public API: keep them out, or add a row to docs/DESIGN.md")
        print("".join(f"    {use}\n" for use in sorted(found[crate])), end="")
    for crate in sorted(allowed - set(found)):
        print(f"error: docs/DESIGN.md names `{crate}`, of which nothing is part of the public API")
    print(f"{len(api.seen)} items, types of {len(found)} other crates: {', '.join(sorted(found))}")
    sys.exit(0 if set(found) == allowed else 1)


if __name__ == "__main__":
    main()
