"""One claim: its sources, its typed quantities, the cells that decide it, and the predicate that judges it.

report/claims/<name>.yaml holds one claim each; found by name, held by no list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from audioprune import registry
from audioprune.claims.units import Quantity
from audioprune.errors import UserError
from audioprune.exhibits import named
from audioprune.results.recipes_printed import Profile
from audioprune.settings.closed import Closed

if TYPE_CHECKING:
    from audioprune.claims.evidence import Evidence
    from audioprune.claims.verdict import Part

FOLDER = Path(__file__).resolve().parents[3] / "report" / "claims"
STATUS = {"P0": "withdrawn", "draft 000": "second-hand", "draft 001": "second-hand"}
Verdict = Literal[
    "supported",  # what the cells show, beyond their noise
    "partly",  # for some models, datasets or parts, not for others
    "refuted",  # the cells show the contrary, beyond their noise
    "misstated",  # the numbers are real, the wording is wrong; the corrected statement has its own verdict
    "inconclusive",  # an interval holds the threshold
    "superseded",  # its source has withdrawn the analysis it rests on
    "not-run",  # cells are missing
    "open",  # no verdict follows: true by construction, too few points, or not said by its source; the reason is said
]


class Source(Closed):
    """Where a claim is made, word for word."""

    document: str = Field(min_length=1, description="draft 000, draft 001, P0, or any other")
    where: str
    quote: str

    @property
    def status(self) -> str:
        """That of a document whose claims are shown with a mark; empty for all others."""
        return STATUS.get(self.document, "")


class Cells(Closed):
    """What decides the claim: on other studies than the paper, datasets stand for their kind of task."""

    backbones: tuple[str, ...] = Field((), description="families, such as audiomae and ast")
    recognisers: tuple[str, ...] = Field((), description="families, such as whisper, of a claim about speech")
    datasets: tuple[str, ...] = Field(min_length=1)
    methods: tuple[str, ...] = Field(("topk",), description="labels, such as topk.cls")
    keep_rates: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if bool(self.backbones) == bool(self.recognisers):
            raise ValueError("name backbones or recognisers")
        return self


class Corrected(Closed):
    """What the claim should say; {names} of quantities, and {saved}, are filled in."""

    statement: str
    units: dict[str, str] = Field(description="of the quantities whose unit was wrong")


class Claim(Closed):
    ids: tuple[str, ...] = Field(min_length=1, description="every row that makes this claim, such as 000-1 and 001-1")
    sources: tuple[Source, ...] = Field(min_length=1, description="one for each id")
    question: str
    statement: str = Field(description="normalised: what would have to be true")
    quantities: dict[str, Quantity] = {}
    cells: Cells
    predicate: str = Field(description="family.function of audioprune.predicates")
    tolerance: dict[str, Quantity] = {}
    profile: Literal[Profile, ""] = Field(
        "", description="recipe of the claim's source: cells of its own data by another decide nothing"
    )
    tier: Literal["published", "any"] = Field(description="published: its numbers are judged on its own data only")
    exhibit: str = Field(description="table or figure where the measured evidence stands")
    corrected: Corrected | None = None
    withdrawn: str = Field("", description="why its source's analysis no longer stands")
    open: str = Field("", description="why no verdict follows: what is measured is shown as an open question")
    restates: tuple[str, ...] = Field((), description="ids of other claims that say part of the same")
    expected: Verdict = Field(description="what docs/paper.md, section 7, expects, stated before any cell was made")
    expected_why: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.sources) != len(self.ids):
            raise ValueError(f"{len(self.ids)} ids need as many sources, not {len(self.sources)}")
        if self.corrected and set(self.corrected.units) - set(self.quantities):
            raise ValueError(
                f"corrected units of unknown quantities {set(self.corrected.units) - set(self.quantities)}"
            )
        if not self.question.endswith("?"):
            raise ValueError("the question must end with a question mark")
        return self

    @property
    def name(self) -> str:
        return self.ids[0]

    @property
    def thresholds(self) -> str:
        """'margin 1.0 points; score within 0.5 points': the numbers that the statement is judged by."""
        said = [f"{name} {value}" for name, value in self.quantities.items()]
        return "; ".join([*said, *(f"{name} within {value}" for name, value in self.tolerance.items())])


@cache
def load(folder: Path = FOLDER) -> tuple[Claim, ...]:
    """All claims, in the order of their files' names; UserError says which file is wrong, all errors at once."""
    found, problems = [], []
    seen: dict[str, Path] = {}
    for path in sorted(folder.glob("*.yaml"), key=_place):
        try:
            claim = Claim.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValidationError, yaml.YAMLError) as error:
            problems.append(f"{path}: {_said(error)}")
            continue
        if claim.name != path.stem:
            problems.append(f"{path}: the file must be named after its first id, {claim.name}.yaml")
        problems += [f"{path}: {one} is in {seen[one]} too" for one in claim.ids if one in seen]
        problems += [f"{path}: {problem}" for problem in _names(claim)]
        seen |= dict.fromkeys(claim.ids, path)
        found.append(claim)
    if problems:
        raise UserError("\n".join(problems))
    return tuple(found)


def _place(path: Path) -> tuple[str, int, str]:
    """000-2 comes before 000-10."""
    document, _, number = path.stem.rpartition("-")
    return document, int(number) if number.isdigit() else 0, path.stem


def predicate(claim: Claim) -> Callable[[Claim, Evidence], list[Part]]:
    """The function that judges a claim."""
    family, _, name = claim.predicate.partition(".")
    return getattr(registry.get("predicates", family), name)


def _names(claim: Claim) -> list[str]:
    """Names that nothing answers to."""
    problems = []
    try:
        predicate(claim)
        only = getattr(registry.get("predicates", claim.predicate.partition(".")[0]), "ONLY", claim.cells.methods)
        if other := [name for name in claim.cells.methods if name not in only]:
            problems.append(f"{claim.predicate} judges {', '.join(only)} and not {', '.join(other)}")
    except (ValueError, AttributeError) as error:
        problems.append(f"predicate {claim.predicate!r}: {error}")
    problems += [
        f"dataset {name!r}{registry.nearest(name, registry.names('datasets'))}"
        for name in claim.cells.datasets
        if name not in registry.names("datasets")
    ]
    exhibits = (*named.names("table"), *named.names("figure"))
    if claim.exhibit not in exhibits:
        problems.append(f"exhibit {claim.exhibit!r}{registry.nearest(claim.exhibit, exhibits)}")
    return problems


def _said(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'claim'}: {e['msg']}" for e in error.errors())
    return str(error)
