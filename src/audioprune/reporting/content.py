"""What a report says, before it has a form: the same content for HTML and PDF, from exhibits and records only.

The same exhibits and records give the same content: nothing is in it that is in none of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audioprune.cells.kinds import KINDS
from audioprune.exhibits import named, table_json
from audioprune.exhibits.headline import Question, Sentence
from audioprune.exhibits.table import Table
from audioprune.reporting import answers, cards, clips, explorer, facts, findings, glossary, provenance, sections, seen
from audioprune.reporting.origins import Origins

if TYPE_CHECKING:
    from audioprune.results.study import Results
    from audioprune.settings.exhibits import Credit

TIERS = {
    "published": "The published grid: the paper's data, model sizes and recipes.",
    "synthetic": (
        "Tiny models trained for minutes on generated audio. These numbers exercise the pipeline; they are no evidence "
        "about real audio."
    ),
    "real miniature": "Real audio and small models: a miniature of the published study, not a repetition of it.",
}
FIRST = ("diagonal", "cost-forest", "wer-macs")  # pictures of the first screen: the first two that there are


@dataclass(frozen=True)
class Exhibit:
    kind: str  # table or figure
    name: str  # of its module, with hyphens
    label: str  # "Table 1", "Figure S2"
    title: str
    caption: str
    status: str  # of the published values in it
    how: sections.How  # it is shown
    fold: str  # title of the fold that it shares with others
    rebuild: str  # the command that makes it again
    csv: str
    table: Table | None = None
    headline: Question | Sentence | None = None  # that its table answers
    svg: str = ""
    seen: str = ""  # what is seen in a figure, for those who cannot see it
    rests_on: tuple[str, ...] = ()  # paths of the cells that a figure is drawn from

    @property
    def heading(self) -> str:
        return f"{self.label}: {self.title}"


@dataclass(frozen=True)
class Section:
    """A part of the argument: what stands in it, in order, and the answers that its tables give."""

    id: str
    heading: str
    text: str
    answers: tuple[answers.Answer, ...]
    exhibits: tuple[Exhibit, ...]

    def shown(self, *how: str) -> list[Exhibit]:
        return [one for one in self.exhibits if one.how in how]

    @property
    def elsewhere(self) -> str:
        """What is said where none of its exhibits is shown."""
        if not self.exhibits:
            return "This study has nothing to show of it."
        return f"In report.html: {', '.join(one.label for one in self.exhibits)}."

    def folds(self) -> list[tuple[str, list[Exhibit]]]:
        """What unfolds: (title, exhibits), one for each exhibit but for those that share a fold."""
        shown = self.shown("appendix", "folded")
        together = itertools.groupby(shown, key=lambda one: one.fold or one.heading)
        return [(title, list(own)) for title, own in together]


@dataclass(frozen=True)
class Detail:
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
    facts: facts.Facts
    lead: tuple[str, ...]
    findings: tuple[findings.Finding, ...]
    pictures: tuple[Exhibit, ...]  # of the first screen; each stands in its section too
    claims: tuple[cards.Group, ...]
    tally: Mapping[str, int]
    sections: tuple[Section, ...]
    explorer: explorer.Explorer
    clips: clips.Clips
    models: Table | None
    details: tuple[Detail, ...]
    notes: tuple[str, ...]
    origins: Origins
    disputes: str  # where a verdict is disputed: address of a repository, or of mail; empty where none is known

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        return tuple(itertools.chain.from_iterable(section.exhibits for section in self.sections))

    @property
    def rest(self) -> tuple[Exhibit, ...]:
        """What stands in no PDF but by name."""
        return tuple(one for one in self.exhibits if one.how in ("folded", "files"))

    def learnt(self, cells: Mapping[str, Any]) -> bool:
        """Whether the models of a table's row have learnt enough for their numbers to say something."""
        known = next((one.table for one in self.exhibits if one.name == answers.COMPETENCE and one.table), None)
        return answers.learnt(cells, [row.cells for row in known.rows] if known else [])

    @property
    def answers(self) -> tuple[answers.Answer, ...]:
        return tuple(itertools.chain.from_iterable(section.answers for section in self.sections))


def collect(
    results: Results,
    exhibits: Mapping[str, tuple[named.Exhibit, Path]],
    *,
    title: str = "",
    tier: str = "",
    notes: Sequence[str] = (),
    terms: Mapping[str, str] | None = None,
    credits: Mapping[str, Credit] | None = None,
    disputes: str = "",
) -> Report:
    """Every exhibit, `exhibits` being {"table/table1": (what it is, folder of its files)}, and all around them.

    `notes` are sentences for the reader that are in no record, such as changes accepted as giving the same results;
    `terms` {term: definition} are those that it explains where it uses them; `credits` {dataset: whose its clips are}
    are of those that it may play; `disputes` is where a reader who disagrees is led to.
    """
    kinds = {kind: {*named.names(kind), *_names(exhibits, kind)} for kind in named.PACKAGES}
    labels = sections.numbers(kinds)
    ordered = sorted(exhibits, key=lambda path: (sections.place(_name(path)), path))
    made = tuple(_exhibit(results, *exhibits[path], path, labels) for path in ordered)
    by_name = {one.name: one for one in made}
    answered = answers.answers(made, tier)
    explored = explorer.explore(results, by_name[explorer.TABLE].table if explorer.TABLE in by_name else None)
    claims, groups = by_name.get(cards.CLAIMS), cards.groups(made)
    return Report(
        study=results.study,
        title=title or f"The study {results.study}",
        tier=tier,
        tier_text=TIERS.get(tier, ""),
        facts=facts.facts(results),
        lead=facts.lead(results),
        findings=findings.findings(made, answered, tier),
        pictures=tuple(by_name[name] for name in FIRST if name in by_name)[:2],
        claims=groups,
        tally=cards.tally(groups),
        sections=tuple(_sections(made, answered)),
        explorer=explored,
        clips=clips.gather(results, credits or {}),
        models=facts.models(results),
        details=tuple(_details(results, made, terms or {}, cards.not_run(claims.table if claims else None))),
        notes=tuple(notes),
        origins=Origins(results, explored),
        disputes=disputes,
    )


def _names(exhibits: Mapping[str, object], kind: str) -> list[str]:
    return [_name(path) for path in exhibits if path.startswith(f"{kind}/")]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _sections(made: Sequence[Exhibit], answered: Sequence[answers.Answer]) -> Iterator[Section]:
    """All sections; an answer stands in the section of the exhibit that gives it."""
    for i, section in enumerate(sections.load()):
        own = tuple(one for one in made if sections.place(one.name).section == i)
        said = tuple(one for one in answered if one.exhibit in {exhibit.name for exhibit in own})
        yield Section(section.id, section.heading, section.text, said, own)


def _details(results: Results, made: Sequence[Exhibit], terms: Mapping[str, str], of_claims: str) -> Iterator[Detail]:
    used = glossary.table(terms, itertools.chain.from_iterable(_said(one) for one in made))
    if used:
        text = "What the words and abbreviations of this report mean."
        yield Detail("glossary", "Glossary", text, used, folded=True)
    yield from (Detail(**section) for section in provenance.sections(results, of_claims))


def _said(exhibit: Exhibit) -> Iterator[str]:
    """What an exhibit says in words."""
    yield from (exhibit.heading, exhibit.caption)
    if exhibit.table:
        yield from exhibit.table.notes
        yield from (column.header for column in exhibit.table.columns)


def _exhibit(results: Results, module: named.Exhibit, folder: Path, path: str, labels: Mapping[str, str]) -> Exhibit:
    kind, name = path.split("/")
    drawn = {suffix: folder / f"{name}.{suffix}" for suffix in ("csv", "json", "svg")}
    table = table_json.loads(drawn["json"].read_text(encoding="utf-8")) if kind == "table" else None
    data = drawn["csv"].read_text(encoding="utf-8")
    return Exhibit(
        kind=kind,
        name=name,
        label=labels[name],
        title=module.TITLE,
        caption=module.CAPTION,
        status=table.status if table else "",
        how=sections.place(name).how,
        fold=sections.place(name).fold,
        rebuild=f"snakemake {named.target(results.study, f'{name}.{KINDS[kind].files[0]}')}",
        csv=data,
        table=table,
        headline=getattr(module, "HEADLINE", None),
        svg="" if table else drawn["svg"].read_text(encoding="utf-8"),
        seen="" if table else seen.of(module, data),
        rests_on=() if table else tuple(r.path for r in module.needs(results)),
    )
