"""A run as one HTML file: scores, sounds, pictures, settings. It opens from disk and asks the network for nothing.

The page is made from a dictionary and knows neither models nor data. Its keys, all but "title" optional; what is
missing or empty is left out of the page:

    "title": text.
    "lead": text, one paragraph below the title.
    "verdict": ["NAME: text", ...], lines that say in words what the scores come to, above them.
    "scores": [{"group": text, "rows": [row, ...]}, ...], in the order of reading. A row is
        {"name": text, "value": number,
         "interval": (low, high) or None,
         "worst": number or None,         what a model that has learnt nothing scores
         "best": number or None,       the best attainable value
         "direction": "higher", "lower" or None,    which is better
         "note": text}                    what the score says and what it cannot see
        All but name and value may be missing. A value that is None or not finite is shown as a dash.
    "scores_note": text above the table, such as what the intervals are.
    "left_out": {name: reason}, scores that are not there.
    "sounds": [{"name": text, "samples": (n,) floats, "sample_rate": samples a second, "group": text}, ...]; those
        with the same group are shown together. Peaks above 1 are scaled down to 1, see `sounds.sound_uri`.
    "pictures": {title: {"image": bytes of a PNG file or a matplotlib Figure, "alt": text, "caption": text}};
        "alt" is what the picture shows, in words, for those who do not see it.
    "settings", "versions": {name: value}; values that are dictionaries become names with dots.

All text is shown as text, whatever it holds: a file called ``<img onerror=...>.wav`` is only a name. The page
forbids itself every request and every script but its own by a Content-Security-Policy.
"""

import base64
import hashlib
import json
import struct
from pathlib import Path

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_text
from tsdsae_keras.report.figures import png_bytes
from tsdsae_keras.report.sounds import sound_uri
from tsdsae_keras.report.table import NOTHING, format_row

KEYS = ("title", "lead", "verdict", "scores", "scores_note", "left_out", "sounds", "pictures", "settings", "versions")
TEMPLATES = Path(__file__).with_name("templates")
DOTS_PER_INCH = 130
_WIDE = 2.0  # a picture this many times as wide as high takes a row of its own
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def write_page(content, path):
    """Writes the page of `content` to `path`, replacing the file whole.

    Raises:
        InputError: as `render_page`.
    """
    write_text(path, render_page(content))


def render_page(content):
    """The page of `content` as the text of an HTML file.

    Raises:
        InputError: there is no title or an unknown key, or a row, a sound or a picture cannot be shown.
    """
    _check_keys(content)
    style, script = (TEMPLATES.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    page = _template().render(
        title=str(content["title"]),
        lead=content.get("lead") or "",
        verdict=[tuple(line.split(": ", 1)) for line in content.get("verdict") or ()],
        scores=[_group_of(group) for group in content.get("scores") or ()],
        scores_note=content.get("scores_note") or "",
        left_out=dict(content.get("left_out") or {}),
        sounds=_by_group(content.get("sounds") or ()),
        pictures=[_picture_of(title, shown) for title, shown in (content.get("pictures") or {}).items()],
        lists={name: dict(_flat(content.get(name) or {})) for name in ("settings", "versions")},
        nothing=NOTHING,
        style=style,
        script=script,
        policy=_policy(style, script),
    )
    # File names that are not UTF-8 hold lone surrogates, which no encoding takes.
    return page.encode("utf-8", "backslashreplace").decode("utf-8")


def _template():
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(TEMPLATES)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.jinja")


def _policy(style, script):
    """What the page may do: show what it carries, and run this style and this script."""
    allowed = "default-src 'none'; img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    return f"{allowed}; style-src '{_hash(style)}'; script-src '{_hash(script)}'"


def _hash(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _check_keys(content):
    unknown = [name for name in content if name not in KEYS]
    if unknown:
        raise InputError(f"a page has no {', '.join(map(repr, unknown))}; its keys are {', '.join(KEYS)}")
    if not content.get("title"):
        raise InputError("a page needs a title; give one as content['title']")


def _group_of(group):
    return {"name": group.get("group") or "", "rows": [format_row(row) for row in group["rows"]]}


def _by_group(sounds):
    """{group: [{"name", "uri"}]}, both in the order of coming."""
    groups = {}
    for sound in sounds:
        uri = sound_uri(sound["samples"], sound["sample_rate"], f"sound {sound['name']!r}")
        groups.setdefault(sound.get("group") or "", []).append({"name": sound["name"], "uri": uri})
    return groups


def _picture_of(title, shown):
    image = shown["image"]
    data = bytes(image) if isinstance(image, (bytes, bytearray)) else png_bytes(image, DOTS_PER_INCH)
    if not data.startswith(_PNG_HEAD) or len(data) < 24:
        raise InputError(f"picture {title!r} begins with {data[:8]!r}; give the bytes of a PNG file or a Figure")
    if not shown.get("alt"):
        raise InputError(f"picture {title!r} has no 'alt'; say in words what it shows")
    width, height = struct.unpack(">II", data[16:24])
    return {
        "title": title,
        "uri": "data:image/png;base64," + base64.b64encode(data).decode("ascii"),
        "alt": shown["alt"],
        "caption": shown.get("caption") or "",
        "width": width,
        "height": height,
        "wide": width >= _WIDE * height,
    }


def _flat(values, prefix=""):
    """(name, text) of every setting, names of inner dictionaries joined by dots."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", _setting_text(value)


def _setting_text(value):
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
