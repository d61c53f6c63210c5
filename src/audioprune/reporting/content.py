"""What a report says, before it has a form: the same content for HTML and PDF, from exhibits and records only.

The same exhibits and records give the same content: no date, no machine, nothing that is in none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audioprune.cells.kinds import KINDS
from audioprune.exhibits import named, table_json
from audioprune.exhibits.headline import Question, Sentence
from audioprune.exhibits.table import Table
from audioprune.reporting import answers, glossary, provenance, summary, verdicts

if TYPE_CHECKING:
    from audioprune.results.study import Results

TIERS = {
    "published": "The published grid: the paper's data, model sizes and recipes.",
    "synthetic": "Audio that the project makes itself, and small models: nothing here is a result on real audio.",
    "real miniature": "Real audio and small models: a miniature of the published study, not a repetition of it.",
}


@dataclass(frozen=True)
class Exhibit:
    kind: str  # table or figure
    name: str  # of its module, with hyphens
    label: str  # "Table 1"; where it has no number, its title
    heading: str
    caption: str
    status: str  # of the published values in it
    rebuild: str  # the command that makes it again
    csv: str
    table: Table | None = None
    headline: Question | Sentence | None = None  # that its table answers
    svg: str = ""


@dataclass(frozen=True)
class Section:
    """A table of the report's last part, such as software versions."""

    name: str
    heading: str
    text: str
    table: Table | None
    folded: bool = False


@dataclass(frozen=True)
class Report:
    study: str
    title: str
    tier: str
    tier_text: str
    answers: tuple[answers.Answer, ...]
    verdicts: tuple[verdicts.Line, ...]
    verdicts_heading: str
    verdicts_status: str  # of the sources of the claims
    lead: tuple[str, ...]
    glance: Table | None
    exhibits: tuple[Exhibit, ...]
    sections: tuple[Section, ...]
    notes: tuple[str, ...]


def collect(
    results: Results,
    exhibits: Mapping[str, tuple[named.Exhibit, Path]],
    *,
    title: str = "",
    tier: str = "",
    notes: Sequence[str] = (),
    terms: Mapping[str, str] | None = None,
) -> Report:
    """Every exhibit, `exhibits` being {"table/table1": (what it is, folder of its files)}, and all around them.

    `notes` are sentences for the reader that are in no record, such as changes accepted as giving the same results;
    `terms` {term: definition} are those that it explains where it uses them.
    """
    made = tuple(_exhibit(results.study, *exhibits[path], *path.split("/")) for path in sorted(exhibits, key=_place))
    glance, claims = summary.glance(made, results), next((e for e in made if e.name == verdicts.CLAIMS), None)
    return Report(
        study=results.study,
        title=title or f"The study {results.study}",
        tier=tier,
        tier_text=TIERS.get(tier, ""),
        answers=answers.answers(made, tier),
        verdicts=verdicts.lines(made),
        verdicts_heading="Claims, on this tier" if claims and verdicts.on_this_tier(claims.table) else "Claims",
        verdicts_status=claims.status if claims else "",
        lead=summary.lead(results),
        glance=glance,
        exhibits=made,
        sections=tuple(_sections(results, made, terms or {}, verdicts.not_run(claims.table if claims else None))),
        notes=tuple(notes),
    )


def _sections(results: Results, made: Sequence[Exhibit], terms: Mapping[str, str], of_claims: str) -> Iterator[Section]:
    used = glossary.table(terms, itertools.chain.from_iterable(_said(one) for one in made))
    if used:
        text = "What the words and abbreviations of this report mean."
        yield Section("glossary", "Glossary", text, used, folded=True)
    yield from (Section(**section) for section in provenance.sections(results, of_claims))


def _said(exhibit: Exhibit) -> Iterator[str]:
    """What an exhibit says in words."""
    yield from (exhibit.heading, exhibit.caption)
    if exhibit.table:
        yield from exhibit.table.notes
        yield from (column.header for column in exhibit.table.columns)


def _place(exhibit: str) -> tuple:
    """Where an exhibit stands: claims, the data, then the paper's tables and figures by number, then our own."""
    kind, name = exhibit.split("/")
    number = name.removeprefix(kind)
    first = {verdicts.CLAIMS: 0, "data": 1}.get(name, 2)
    return (first, not number.isdigit(), kind != "table", int(number) if number.isdigit() else 0, name)


def _exhibit(study: str, module: named.Exhibit, folder: Path, kind: str, name: str) -> Exhibit:
    number = _numbered(name)
    drawn = {suffix: folder / f"{name}.{suffix}" for suffix in ("csv", "json", "svg")}
    table = table_json.loads(drawn["json"].read_text(encoding="utf-8")) if kind == "table" else None
    return Exhibit(
        kind=kind,
        name=name,
        label=number or module.TITLE,
        heading=f"{number}: {module.TITLE}" if number else module.TITLE,
        caption=module.CAPTION,
        status=table.status if table else "",
        rebuild=f"snakemake {named.target(study, f'{name}.{KINDS[kind].files[0]}')}",
        csv=drawn["csv"].read_text(encoding="utf-8"),
        table=table,
        headline=getattr(module, "HEADLINE", None),
        svg="" if table else drawn["svg"].read_text(encoding="utf-8"),
    )


def _numbered(name: str) -> str:
    """'Table 1' where the name is that of an exhibit of the paper; else nothing."""
    for word in ("table", "figure"):
        number = name.removeprefix(word)
        if number.isdigit() and number != name:
            return f"{word.capitalize()} {number}"
    return ""
