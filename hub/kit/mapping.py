"""Rules about the mappings: every field is read or ignored by name, and the examples hold."""

from __future__ import annotations

from typing import Final

from hub.canonical.json import read_json
from hub.canonical.values import Plain
from hub.errors import UnmappableError
from hub.kit.stage import Stage
from hub.kit.subject import Subject
from hub.kit.verdict import Rule, demand
from hub.mapping.explain import peek


def mapping_examples_hold(subject: Subject) -> str:
    """Every mapping that understands records has examples on made samples, and all of them give what they say."""
    mappings = subject.stage(1).channel.mappings
    without = [name for name in mappings.entities if not mappings.mappings[name].document.examples]
    demand(not without, f"without an example: {', '.join(without)}")
    wrong = mappings.run_examples(subject.folder)
    demand(not wrong, "; ".join(wrong[:3]))
    count = sum(len(mapping.document.examples) for mapping in mappings.mappings.values())
    return f"{count} examples of {len(mappings.entities)} mappings"


def every_sample_field_is_mapped_or_ignored(subject: Subject) -> str:
    """No field of a made sample, nor of what the small platform answers, is passed over without being named."""
    stage = subject.stage(2)
    left: dict[str, str] = {}
    looked = 0
    for words, together, record in [*_of_samples(subject, stage), *_of_sandbox(stage)]:
        looked += 1
        left |= dict.fromkeys(stage.channel.mappings.unread(together, record), words)
    named = ", ".join(f"{path} ({words})" for path, words in sorted(left.items())[:8])
    demand(not left, f"neither read nor ignored by name: {named}")
    return f"{looked} records, every field read or ignored by name"


def every_record_of_the_sandbox_is_understood(subject: Subject) -> str:
    """Each record of the small platform is understood by every mapping of its stream: nothing ends as a dead letter."""
    stage, count = subject.stage(3), 0
    for words, together, record in _of_sandbox(stage):
        for mapping in together:
            try:
                count += len(stage.channel.mappings.understand(mapping, record))
            except UnmappableError as bad:
                demand(False, f"{words}: {mapping} does not understand it: {bad}")
    demand(count > 0, "nothing at all was understood")
    return f"{count} canonical records"


def _of_sandbox(stage: Stage) -> list[tuple[str, tuple[str, ...], Plain]]:
    found: list[tuple[str, tuple[str, ...], Plain]] = []
    for stream, declared in stage.channel.manifest.streams.items():
        records = stage.read(stream, declared.page_max).records
        found += [(f"stream {stream}", declared.maps, record) for record in records]
    return found


def _of_samples(subject: Subject, stage: Stage) -> list[tuple[str, tuple[str, ...], Plain]]:
    """The records of the examples, each with all the mappings that such a record is read by."""
    manifest = stage.channel.manifest
    groups = [stream.maps for stream in manifest.streams.values()]
    if manifest.deliveries is not None:
        groups += [topic.maps for topic in manifest.deliveries.topics.values() if topic.maps]
    found: list[tuple[str, tuple[str, ...], Plain]] = []
    for name, mapping in stage.channel.mappings.mappings.items():
        # Records of one mapping may come by several streams: each field counts that any of them names.
        together = tuple(dict.fromkeys(other for group in groups if name in group for other in group)) or (name,)
        for example in mapping.document.examples:
            sample = read_json((subject.folder / example.sample).read_bytes())
            found.append((f"{example.sample} {example.record}".strip(), together, peek(sample, example.record)))
    return found


RULES: Final[tuple[Rule, ...]] = (
    mapping_examples_hold,
    every_sample_field_is_mapped_or_ignored,
    every_record_of_the_sandbox_is_understood,
)
