from __future__ import annotations

import re

import pytest
import yaml

from audioprune import registry
from audioprune.errors import UserError
from audioprune.sources import catalogue

ROW = {
    "title": "T",
    "version": "1",
    "home": "https://example.org",
    "licence": "CC0",
    "credit": "nobody",
    "mib": 1,
    "archives": [{"url": "https://example.org/a.zip", "file": "a.zip"}],
}


def written(tmp_path, table) -> dict[str, catalogue.Source]:
    path = tmp_path / "sources.yaml"
    path.write_text(yaml.safe_dump(table), encoding="utf-8")
    return catalogue.load(path)


def test_every_dataset_has_a_row_and_every_row_is_complete():
    rows = catalogue.load()
    wanted = {registry.get("datasets", name).FACTS.source for name in registry.names("datasets")} - {""}
    assert wanted <= set(rows)
    assert {"checkpoint-audiomae-b", "checkpoint-ast-b", "checkpoint-ast-mp-b"} <= set(rows)
    for row in rows.values():
        assert row.credit
        assert row.licence
        assert [bool(row.manual), bool(row.archives), bool(row.pretraining)].count(True) == 1
        assert bool(row.pin) != bool(row.manual)  # data brought by hand is pinned by its manifest instead
        for archive in row.archives:
            assert archive.url.rsplit("/", 1)[1] in (archive.file, archive.file.rpartition("-")[2])


def test_no_name_stands_twice():
    names = re.findall(r"^([\w-]+):$", catalogue.FILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(catalogue.load())


def test_what_may_not_be_fetched_is_never_fetched():
    manual = {name for name, row in catalogue.load().items() if row.manual}
    assert {"voxceleb1", "as20k", "as2m", "checkpoint-audiomae-b", "checkpoint-ast-b"} <= manual
    for name in manual:
        assert f"audioprune index {name}" in catalogue.load()[name].manual


def test_declared_values():
    rows = catalogue.load()
    assert rows["esc10"].version == "553c8f1743b9dba6b282e1323c3ca8fa76923448"
    assert rows["esc10"].pin == rows["esc10"].content
    assert (rows["esc10"].files, rows["fsdd"].files) == (402, 3001)
    assert (rows["esc10"].licence, rows["fsdd"].licence) == ("CC BY 3.0", "CC BY-SA 4.0")
    assert rows["spc2"].archives[0].size == 2428923189


def test_pin_without_content_digest_follows_what_is_asked_for(tmp_path):
    first = written(tmp_path, {"a": ROW})["a"].pin
    assert re.fullmatch("[0-9a-f]{64}", first)
    (tmp_path / "b").mkdir()
    assert written(tmp_path / "b", {"a": ROW | {"credit": "somebody", "mib": 7}})["a"].pin == first
    (tmp_path / "c").mkdir()
    assert written(tmp_path / "c", {"a": ROW | {"version": "2"}})["a"].pin != first


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"licence": None}, "a.licence"),
        ({"colour": "red"}, "a.colour"),
        ({"content": "abc"}, "a.content"),
        ({"content": "0" * 64}, "files and bytes"),
        ({"manual": "by hand"}, "either archives, or manual"),
        ({"archives": []}, "either archives, or manual"),
        ({"archives": [{"url": "ftp://example.org/a.zip", "file": "a.zip"}]}, "a.archives.0.url"),
        ({"archives": [{"url": "https://example.org/a.zip", "file": "../a.zip"}]}, "plain file name"),
    ],
)
def test_mistakes_are_named(tmp_path, change, words):
    with pytest.raises(UserError, match=re.escape(words)):
        written(tmp_path, {"a": ROW | change})


def test_all_mistakes_at_once(tmp_path):
    with pytest.raises(UserError, match=r"2 error\(s\)(.|\n)*b\.mib(.|\n)*c\.home"):
        written(tmp_path, {"a": ROW, "b": ROW | {"mib": 0}, "c": ROW | {"home": "nowhere"}})


def test_a_missing_or_broken_table_is_one_message(tmp_path):
    with pytest.raises(UserError, match="is missing"):
        catalogue.load(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(UserError, match="not plain YAML"):
        catalogue.load(tmp_path / "broken.yaml")
