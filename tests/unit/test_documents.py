"""docs: what code, configuration and report refer to is there, and what the documents name and print is right."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import get_args

import pytest
import yaml

from audioprune import registry, settings
from audioprune.claims import claim
from audioprune.config import design as config
from audioprune.facts.tokens import keep_counts
from audioprune.profiling import macs
from audioprune.reporting.glossary import parse
from audioprune.results import published
from tests import REPOSITORY

DOCUMENTS = ("paper", "differences", "glossary")
BUG = re.compile(r"\bB\d{1,2}\b")
NUMBER = r"(?:10|\d)(?:\.\d{1,2})?(?![\d-]|\.\d)"
SECTION = re.compile(
    rf"(?:\bsections?|paper\.md\W{{0,2}}|[Ss]pecification,|§)\s*({NUMBER}(?:(?:, | to | and ){NUMBER})*)"
)
OTHER = re.compile(r"(?:P0|RFC \d+),? sections? [\d., ]+|section \d+, claim \d+")  # of other documents
MARK = re.compile(r"\b(DIFFERS|ASSUME):")
ELSEWHERE = {"andylee-24/token-pruning-audio-transformer"}  # named with a slash and not of this repository
SPLIT = {"audiomae-b": "AudioMAE", "ast-b": "AST"}


@cache
def text(name: str) -> str:
    return (REPOSITORY / "docs" / f"{name}.md").read_text(encoding="utf-8")


@cache
def sources() -> dict[str, str]:
    """{path: text} of what may refer to the documents, which refer to each other too."""
    paths = [REPOSITORY / name for name in ("config.yaml", "README.md", "CONTRIBUTING.md", "Snakefile")]
    for folder, kinds in (("src", "py"), ("docs", "md"), ("workflow", "smk yaml"), ("report", "md jinja yaml csv")):
        paths += [path for kind in kinds.split() for path in (REPOSITORY / folder).rglob(f"*.{kind}")]
    return {str(path.relative_to(REPOSITORY)): path.read_text(encoding="utf-8") for path in paths}


def rows(document: str, heading: str) -> list[list[str]]:
    """Cells of the first table below a heading, without its head; there are some."""
    body = re.split(rf"^#+ {re.escape(heading)}.*$", text(document), flags=re.M)[1]
    lines = re.search(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", body, flags=re.M).group(1).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def ticked(document: str) -> list[str]:
    return re.findall(r"(?<!`)`([^`\n]+)`", text(document))


def numbers(found: list[str]) -> list[float]:
    return [float(one.replace("−", "-")) for one in found]


# --- references into the documents


def test_every_bug_has_one_row_in_order():
    assert [row[0] for row in rows("differences", "Disagreements and bugs")] == [f"B{n}" for n in range(1, 25)]


def test_every_bug_that_is_named_has_a_row():
    named = {bug: path for path, said in sources().items() for bug in BUG.findall(said)}
    assert {"B2", "B4", "B5", "B7", "B13", "B15", "B18", "B19", "B24"} <= set(named)  # of src and config.yaml
    listed = {row[0] for row in rows("differences", "Disagreements and bugs")}
    assert {bug: path for bug, path in named.items() if bug not in listed} == {}


def cited() -> dict[str, set[str]]:
    """{section of paper.md: files that name it}; claims and published numbers say where in their own sources."""
    found: dict[str, set[str]] = {}
    for path, said in sources().items():
        if path.startswith("report/published/") and path.endswith(".csv"):
            continue
        if path.startswith("report/claims/"):
            said = re.sub(r"where: .*", "", said)
        for several in SECTION.findall(OTHER.sub("", said)):
            for one in re.findall(NUMBER, several):
                found.setdefault(one, set()).add(path)
    return found


def headings() -> list[str]:
    return re.findall(r"^##+ (\d+(?:\.\d+)?)\.? ", text("paper"), flags=re.M)


def test_every_section_that_is_named_is_a_heading():
    known = {"1.1", "1.3", "1.4", "1.7", "1.10", "2.2", "2.3", "3.2", "3.3", "3.4", "3.5", "3.6", "5.2", "5.3"}
    found = cited()
    assert known | {"6.1", "6.2", "6.3", "6.4", "7", "9"} <= set(found)
    assert {section: paths for section, paths in found.items() if section not in headings()} == {}


def test_headings_are_numbered_in_order():
    found = headings()
    assert found == sorted(found, key=lambda section: [int(part) for part in section.split(".")])
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("said", "sections"),
    [
        ("(paper.md 5.3, 7)", ["5.3", "7"]),
        ("(paper.md 7, 000-4)", ["7"]),
        ("paper.md sections 1.1 to 1.10 of", ["1.1", "1.10"]),
        ("docs/paper.md, section 3.3).", ["3.3"]),
        ("[paper.md](../docs/paper.md), section 0", ["0"]),
        ("(specification, 3.3)", ["3.3"]),
        ("paper.md §7", ["7"]),
        ("(section 6.1, B24)", ["6.1"]),
        ("P0 section 4.2; specification, section 2.2", ["2.2"]),
        ("RFC 9110 section 14", []),
    ],
)
def test_ways_to_name_a_section(said, sections):
    found = [one for several in SECTION.findall(OTHER.sub("", said)) for one in re.findall(NUMBER, several)]
    assert found == sections


# --- what the documents name


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_exists(document):
    named = [one for one in ticked(document) if re.fullmatch(r"[\w.-]+(/[\w.-]+)+", one) and one not in ELSEWHERE]
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
    assert len(set(named)) >= {"paper": 80, "differences": 40, "glossary": 0}[document]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document):
    targets = re.findall(r"\]\(([^)#]+)\)", text(document))
    assert [one for one in targets if not (REPOSITORY / "docs" / one).is_file()] == []


def is_field(name: str) -> bool:
    model, _, field = name.partition(".")
    return any(field in getattr(getattr(module, model, None), "model_fields", ()) for module in (settings, config))


def is_key(name: str) -> bool:
    """A key of config.yaml, or a file at the root."""
    at = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    for part in name.split("."):
        if not isinstance(at, dict) or part not in at:
            return (REPOSITORY / name).is_file()
        at = at[part]
    return True


def test_every_field_and_key_exists():
    named = [one for document in DOCUMENTS for one in ticked(document)]
    fields = {one for one in named if re.fullmatch(r"[A-Z]\w+\.\w+", one)}
    keys = {one for one in named if re.fullmatch(r"[a-z]+(\.[\w-]+)+", one) and not re.search(r"\.(py|txt|sh)$", one)}
    keys -= {"torch.topk"}
    assert {"Augment.specaug_off", "Grid.baseline", "EvaluateSettings.selection"} <= fields
    assert {"recipes.p0", "recipes.p2", "studies.paper.costs"} <= keys
    assert [one for one in sorted(fields) if not is_field(one)] == []
    assert [one for one in sorted(keys) if not is_key(one)] == []
    assert not is_field("Augment.nothing")
    assert not is_key("recipes.p3")


def test_every_row_says_where():
    for row in rows("differences", "Disagreements and bugs"):
        assert len(row) == 5, row[0]
        assert all(row), row[0]
        assert re.search(r"`(src/[\w/.]+|[A-Z]\w+\.\w+|[a-z]+(\.\w+)+)`", row[4]), row[0]


def test_every_mark_in_the_code_has_a_row():
    code = {path: said for path, said in sources().items() if path.startswith("src/")}
    marks = Counter((path, mark) for path, said in code.items() for mark in MARK.findall(said))
    listed = Counter((row[0].strip("`"), row[1]) for row in rows("differences", "Marks in the code"))
    assert sorted((listed - marks).items()) == []
    assert sorted((marks - listed).items()) == []


# --- numbers


def test_kept_tokens():
    found = {(rate, n): value for rate, *cells in rows("paper", "1.5 ") for n, value in zip((64, 256, 512), cells)}
    assert len(found) == 21
    for (rate, patches), value in found.items():
        assert [int(k) for k in value.split(",")] == keep_counts(float(rate), patches, 0, 3), (rate, patches)


def test_gmacs():
    rates = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
    found = rows("paper", "5.2 ")
    assert len(found) == 7
    for backbone, dataset, *values in found:
        facts = registry.dataset(dataset)
        counts = [
            macs.count(backbone, frames=facts.frames, num_classes=facts.num_classes, keep_rate=r).gmacs for r in rates
        ]
        assert values == [f"{one:.4f}" for one in counts], (backbone, dataset)


def printed(name: str, **wanted: str) -> list[str]:
    return [row["value"] for row in published.rows(name) if all(row[key] == value for key, value in wanted.items())]


DATASETS = ("spc2", "esc50", "voxceleb1", "as20k")


def test_tables_1_and_7():
    for rate, *cells in rows("paper", "2.1 "):
        for dataset, cell in zip(DATASETS, cells, strict=True):
            where = {"dataset": dataset, "keep_rate": rate, "backbone": "audiomae-b"}
            score, gmacs, speed = cell.split(" / ")
            assert printed("table1", metric="map" if dataset == "as20k" else "top1", **where) == [score]
            assert printed("table1", metric="macs", **where) == [gmacs]
            assert printed("table7", metric="throughput", **where) == [speed]


def test_table_2():
    for rate, *cells in rows("paper", "2.2 "):
        for dataset, cell in zip(DATASETS, cells, strict=True):
            where = {"dataset": dataset, "keep_rate": rate, "metric": "ratio_b"}
            assert printed("table2", **where) == cell.split(" / "), (dataset, rate)


def test_table_4():
    for rate, *cells in rows("paper", "2.5 "):
        for dataset, cell in zip(("spc2", "esc50"), cells, strict=True):
            where = {"dataset": dataset, "keep_rate": rate, "metric": "top1"}
            values = [*(printed("table4", location=test, **where)[0] for test in ("none", "I", "II", "III"))]
            assert values == cell.split(" / "), (dataset, rate)


def test_cluster_edges():
    for dataset, (_, *edges, shares) in zip(DATASETS, rows("paper", "3.2 "), strict=True):
        where = {"dataset": dataset, "exhibit": "intensity clusters"}
        assert numbers(edges) == numbers(printed("clusters", metric="mean_cluster_edge", **where))
        assert numbers(shares.split()) == numbers(printed("clusters", metric="mean_cluster_share", **where))


def test_rank_correlations():
    seen = 0
    for dataset, (_, *cells) in zip(("as20k", "spc2", "esc50", "voxceleb1"), rows("paper", "3.3 "), strict=True):
        columns = [(metric, backbone) for metric in ("mean", "std") for backbone in SPLIT]
        for (metric, backbone), cell in zip(columns, cells, strict=True):
            where = {"dataset": dataset, "backbone": backbone, "metric": f"tau_star_{metric}"}
            blocks = numbers(printed("correlation", **where))
            mean = [sum(blocks) / len(blocks)] if blocks else []
            expected = [*mean, *(blocks[b] for b in (3, 6, 9) if blocks)]
            assert numbers(re.findall(r"[−.\d]+", cell)) == pytest.approx(expected, abs=5.1e-4), (dataset, backbone)
            seen += len(expected)
    assert seen == 56


# --- the glossary


@cache
def glossary() -> list[tuple[str, str]]:
    """(term, definition), in the order of the file."""
    found = list(parse(text("glossary")).items())
    assert len(found) == text("glossary").count("\n**")  # none twice
    return found


def test_the_glossary_is_sorted_and_has_no_term_twice():
    terms = [term.casefold() for term, _ in glossary()]
    assert terms == sorted(terms)
    assert [term for term, times in Counter(terms).items() if times > 1] == []


def test_definitions_are_one_to_three_sentences():
    for term, said in glossary():
        assert said.endswith("."), term
        assert 1 <= len(re.findall(r"[.?](?= [A-Z0-9“]|$)", said)) <= 3, term


def test_the_glossary_has_what_readers_meet():
    known = dict(glossary())
    wanted = {"keep-rate", "TopK", "class-token score", "ratio A", "ratio B", "gamma", "count-matched control", "key"}
    wanted |= {"cluster levels", "selection", "profile", "tier", "cell", "study", "mAP", "discordant clips", "tau*"}
    assert wanted | {"non-inferiority margin", "K / N", "signal", "background", "patch", "stage"} <= set(known)
    assert set(get_args(claim.Verdict)) <= set(known)
    for term, model in (("selection", settings.EvaluateSettings), ("tier", config.Study), ("profile", claim.Claim)):
        assert all(one in known[term] for one in get_args(model.model_fields[term].annotation)), term
    assert all(one in known["method"] for one in registry.names("pruning"))
    assert [said for said in known.values() if (see := re.match(r"See ([^.]+)\.$", said)) and see[1] not in known] == []


# --- how they are written


@pytest.mark.parametrize("document", DOCUMENTS)
def test_lines_are_short_and_plain(document):
    lines = text(document).splitlines()
    long = [line for line in lines if len(line) > 132 and not line.startswith(("|", "$$"))]
    assert long == []
    assert "\N{EM DASH}" not in text(document)
    assert re.findall(r"""(?:^|[\s('"`=])(/\w[\w.-]*/\S*)""", text(document), flags=re.M) == []  # no path of a machine
