#!/usr/bin/env python3
"""Fills `corpus/` with policy vectors, fixtures and `seeds.json`. Run it from anywhere; it takes no arguments."""

import hashlib
import json
import pathlib

here = pathlib.Path(__file__).parent
stage = "arn:aws:execute-api:us-east-1:123456789012:abcdef/prod/"


def save(target, text):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


for file in sorted((here.parent / "vectors").glob("*.json")):
    for vector in json.loads(file.read_text())["vectors"]:
        policy = vector["policy_text"] if "policy_text" in vector else json.dumps(vector["policy"], ensure_ascii=False)
        if len(policy) > 4096:
            continue
        save("policy_parse", policy)
        request = vector["request"]
        if vector["expect"] != "malformed" and request["stage"] == stage and request["path"].isascii():
            line = " ".join(request[name] for name in ("method", "path", "canonical_path") if name in request)
            context = json.dumps(vector.get("context", {}), ensure_ascii=False)
            save("policy_evaluate", f"{line}\n{context}\n{policy}")

for file in sorted((here.parent / "fixtures/events").glob("*.json")):
    save("event_parse", file.read_text())
for row in json.loads((here.parent / "fixtures/answers/answers.json").read_text()).values():
    save("answer_parse", row["answer"])
for target, texts in json.loads((here / "seeds.json").read_text()).items():
    for text in texts:
        save(target, text)
