"""One page of HTML that needs nothing else: its style, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #ccc;padding:.25rem .6rem;text-align:left}"
    "th{background:#f3f3f3}.numbers td{text-align:right}.no{color:#b00020;font-weight:bold}.yes{color:#1b6e2e}"
    "pre{overflow:auto;background:#f7f7f7;padding:.6rem}"
)


def one_page(title: str, parts: Iterable[str]) -> str:
    """The whole page under this title; the parts are HTML."""
    name = escape(title)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title><style>{_STYLE}</style><h1>{name}</h1>'
    return "\n".join([head, *parts, "</html>"])


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = False) -> str:
    """A table; the cells are HTML, the heads are words."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    aligned = ' class="numbers"' if numbers else ""
    return f"<table{aligned}><tr>{head}</tr>{body}</table>"
