"""The pages for readers: their Python runs, their links lead somewhere, every public name is documented."""

import re
from pathlib import Path

import pytest

import tsdsae_keras

ROOT = Path(__file__).parents[1]
PAGES = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md"))]
PAGES += sorted((ROOT / "docs").glob("*.md"))
BLOCK = re.compile(r"(?:<!-- not run: (?P<reason>.+) -->\n)?```python\n(?P<code>.*?)```", re.DOTALL)
WITH_CODE = [path for path in PAGES if BLOCK.search(path.read_text(encoding="utf-8"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


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


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_to_files(path):
    missing = [link for link in LINK.findall(path.read_text(encoding="utf-8")) if not (path.parent / link).exists()]
    assert not missing


def test_every_public_name_is_on_the_api_page():
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = re.findall(r"^::: tsdsae_keras\.(\w+)$", text, re.MULTILINE)
    assert sorted(documented) == sorted(set(tsdsae_keras.__all__) - {"__version__"})
