"""What no file of the project may hold: traces of a build machine, secrets, lock files, words copied from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house_grounds import shared, text, tracked

HERE = Path("tests/house/test_text.py")
MACHINE = {
    "a path of a build machine": r"(?<![\w.$}/-])/(?:work|root)/|/tmp/(?:brief|bash_jobs)|/home/[a-z]|/Users/[A-Za-z]",
    "a host of a package registry": r"pypi\.org/simple|files\.pythonhosted\.org|registry\.(?:npmjs|yarnpkg)|--find-links",
    "another index of packages": r"index-url",
}
SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY",
    "a live token": r"\b(?:EAA[\w-]{24,}|sk_live_\w+|ghp_\w{20,}|shpat_\w{20,}|AKIA[0-9A-Z]{16}|xox[bp]-\w{10,})",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
}
LOCK_FILES = re.compile(r"(?:^|[-.])lock(?:\.|$)|npm-shrinkwrap|^requirements.*\.txt$")
SECRET_KEY = re.compile(r"(?:password|secret|token|authorization|api_?key|cookie)$", re.IGNORECASE)
MAIL = re.compile(r"[\w.+-]+@(?!(?:[\w-]+\.)*example\.(?:com|org|net|dk)\b)[\w-]+\.[a-z]{2,}\b")
COPIED_CHARS = 60
SENTENCE_WORDS = 6
"""So many ordinary words make it a sentence and not a row of constants."""


def found(patterns: dict[str, str]) -> list[str]:
    """`file:line what` for each line of the project that a pattern finds."""
    return [
        f"{path}:{text(path).count(chr(10), 0, match.start()) + 1} {what}: {match.group()[:60]}"
        for path in tracked()
        if path != HERE
        for what, pattern in patterns.items()
        for match in re.finditer(pattern, text(path))
    ]


def samples() -> list[Path]:
    return [path for path in tracked() if path.match("connectors/*/samples/**/*") or "samples" in path.parts]


def fields(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    """Every leaf of a JSON document with its dotted path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from fields(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from fields(inner, f"{path}.{number}")
    else:
        yield path, value


def test_nothing_tells_of_the_machine_it_was_built_on() -> None:
    assert not found(MACHINE)


def test_no_secret_lies_in_the_project() -> None:
    assert not found(SECRETS)


def test_no_lock_file_pins_the_hosts_of_a_registry() -> None:
    assert not [str(path) for path in tracked() if LOCK_FILES.search(path.name)]


def test_samples_hold_no_secret_and_no_person() -> None:
    said = [
        f"{path} {place}"
        for path in samples()
        if path.suffix == ".json"
        for place, value in fields(json.loads(text(path)))
        if isinstance(value, str) and value and (SECRET_KEY.search(place) or MAIL.search(value))
    ]
    assert samples()
    assert not said


def test_samples_are_called_made() -> None:
    """A recording has an owner; what lies here was written by hand, and says so by its folder."""
    assert not [str(path) for path in samples() if path.parts[0] == "connectors" and "made" not in path.parts]


def digests(body: str) -> Iterator[str]:
    """The digests of a JSON text, of its lines where it is JSON lines, and of the larger documents inside it."""
    for document in documents(body):
        for part in (document, *inner(document)):
            plain = json.dumps(part, sort_keys=True)
            if len(plain) > 2 * COPIED_CHARS:
                yield hashlib.sha256(plain.encode()).hexdigest()


def documents(body: str) -> list[object]:
    try:
        return [json.loads(body)]
    except ValueError:
        pass
    try:
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    except ValueError:
        return []


def inner(value: object) -> Iterator[object]:
    """Objects inside a document; those that are written as text (a recorded body) are read."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        value = next(iter(documents(value)), None)
        yield value
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, dict):
                yield part
            yield from inner(part)


def test_no_recording_was_copied() -> None:
    folder = shared("samples")
    recorded = {
        digest for path in folder.rglob("*.json*") for digest in digests(path.read_text(encoding="utf-8", errors="replace"))
    }
    copied = [str(path) for path in tracked() if path.suffix in {".json", ".jsonl"} and recorded & set(digests(text(path)))]
    assert recorded
    assert not copied


def flat(body: str) -> str:
    """The text as one line, without comment marks."""
    return re.sub(r"\s+", " ", re.sub(r"^\s*(?:#+:?|//|\*|>)\s?", "", body, flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["DESIGN.md", "DOMAIN.md", "LIBRARIES.md"])
def test_no_sentence_was_copied(name: str) -> None:
    source = flat(shared(name).read_text(encoding="utf-8"))
    every = (source[at : at + COPIED_CHARS] for at in range(len(source) - COPIED_CHARS))
    windows = {window for window in every if len(re.findall(r"\b[a-z]{2,}\b", window)) >= SENTENCE_WORDS}
    copied = []
    for path in tracked():
        if path.name == "LICENSE":
            continue
        body = flat(text(path))
        at = next((at for at in range(len(body) - COPIED_CHARS + 1) if body[at : at + COPIED_CHARS] in windows), None)
        if at is not None:
            copied.append(f"{path}: {body[at : at + COPIED_CHARS]!r}")
    assert not copied, f"own words, please: {copied}"
