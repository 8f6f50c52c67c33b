"""What mkdocs needs to make a site of pages that are also read in the repository, where some of them lie elsewhere."""

import re
from pathlib import Path

from mkdocs.structure.files import File

import tsdsae_keras

ROOT = Path(__file__).parents[1]
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md", "benchmarks/quality.png")


def on_files(files, config):
    """Adds the pages outside docs/: README.md is the home page."""
    for name in OUTSIDE:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown, page, **_):
    """Links as the site has them, where docs/ is the root, and public names as where they are defined."""
    here = page.file.src_uri
    if here.startswith("benchmarks/"):
        markdown = markdown.replace("](../docs/", "](../")
    elif here in OUTSIDE:
        markdown = markdown.replace("](docs/", "](")
    else:
        markdown = markdown.replace("](../", "](")
    return re.sub(r"^::: tsdsae_keras\.(\w+)$", _documented, markdown, flags=re.MULTILINE)


def _documented(match):
    """The directive of mkdocstrings for a public name: griffe reads sources only, so it must know the module."""
    name = match[1]
    home = f"::: tsdsae_keras.{tsdsae_keras._NAMES[name]}.{name}"
    return f"{home}\n    options:\n      heading: tsdsae_keras.{name}\n      toc_label: {name}\n"
