"""The pages for readers: their Python runs, their commands parse, their links work, public names are documented."""

import argparse
import re
import shlex
from pathlib import Path

import pytest

import tsdsae_keras
from tsdsae_keras import cli

pytestmark = pytest.mark.no_backend

ROOT = Path(__file__).parents[1]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md"))]
PAGES += sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>.+) -->\n)?```python\n(?P<code>.*?)```", re.DOTALL)
WITH_CODE = [path for path in PAGES if BLOCK.search(path.read_text(encoding="utf-8"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")

COMMAND = re.compile(r"^(?:    .*&& |    |)(tsdsae-keras|python (?:train|tuning/search|tuning/study)\.py)( .*)?$", re.M)
FIRST = {"train.py": ["train"], "tuning/search.py": ["tune"], "tuning/study.py": ["study"]}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", WITH_CODE, ids=name_of)
def test_python_of_a_page_runs(path, tmp_path, monkeypatch):
    """The blocks of a page share a namespace; one that needs data or hours says so in a comment before it."""
    monkeypatch.chdir(tmp_path)
    text, namespace = path.read_text(encoding="utf-8"), {"__name__": "page"}
    for block in BLOCK.finditer(text):
        code = block["code"]
        if block["reason"]:  # its imports of this package are held to what there is
            code = "\n".join(line if line.startswith("from tsdsae_keras") else "" for line in code.splitlines())
        # Empty lines before the code make a traceback name the line of the page.
        line = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * line + code, str(path), "exec"), namespace)


def commands_of(text):
    """The arguments of each command in the indented or fenced code of a page; comments after # are left out."""
    for program, words in COMMAND.findall(text.replace("\\\n", " ")):
        yield [*FIRST.get(program.removeprefix("python "), []), *shlex.split(words, comments=True)]


COMMANDS = sorted({tuple(each) for path in PAGES for each in commands_of(path.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("arguments", COMMANDS, ids=shlex.join)
def test_commands_of_the_pages_parse(arguments, monkeypatch):
    class Parsed(Exception):
        pass

    def parse_and_stop(parser, *args, original=argparse.ArgumentParser.parse_args, **kwargs):
        original(parser, *args, **kwargs)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_stop)
    with pytest.raises(Parsed):
        cli.main(arguments)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_to_files(path):
    missing = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert not missing


def test_every_public_name_is_on_the_api_page():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^::: tsdsae_keras\.(\w+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(set(tsdsae_keras.__all__) - {"__version__"})
