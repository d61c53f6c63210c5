"""A small made-up study: a table with texts, a figure with its picture, the claims."""

from __future__ import annotations

import json
from pathlib import Path

TABLE = """\
backbone,method,keep_rate,accuracy,accuracy_low,samples_per_s,speed_up,cells
ast,none,1.0,81.25,79.512345,640.5,1.0,evaluate/ast/none/0123456789abcdef
ast,topk,0.7,80.500000000001,78.25,801.1,1.25,evaluate/ast/topk-kr0.7/00112233445566aa
ast,topk,0.5,78.125,76.0,960.2,1.5,evaluate/ast/topk-kr0.5/00112233445566bb
ast,tome,0.5,77.0,75.5,955.2,1.49,evaluate/ast/tome-kr0.5/00112233445566cc
"""
FIGURE = "method,stage,ratio\ntopk,1,0.8333333333333334\ntopk,2,0.25\n"
PICTURE = """\
<svg><metadata>2024-01-01</metadata><g id="p7489a16d85"><!-- topk --><path d="M 0 262.8"/></g>
<use href="#p7489a16d85"/></svg>
"""
CLAIMS = """\
claim,verdict,basis,unit,value,clips
P0-1,refuted,measured,points,0.5,100
P0-13,refuted,measured,times (quartiles),1.59,6
"""


def _table_json() -> str:
    column = {"key": "accuracy", "header": "Ours", "unit": "%", "decimals": 2, "part": "value", "align": "right"}
    rows = [{"cells": {}, "group": "ast on words: 100 clips"}] * 4
    return json.dumps(
        {"columns": [column], "rows": rows, "notes": ["topk ranks; MACs: closed form."], "marks": {}, "status": ""}
    )


def write(folder: Path) -> None:
    """The study's exhibits, in a new folder."""
    folder.mkdir()
    page = "<h1>Costs</h1>\n<p>What pruning &amp; merging cost.</p>"
    files = {
        "table1.csv": TABLE, "table1.json": _table_json(), "table1.html": page,
        "figure2.csv": FIGURE, "figure2.svg": PICTURE, "claims.csv": CLAIMS,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text)


def edit(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    """Exchange texts of a file, each of which is there."""
    text = (folder / name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text)
