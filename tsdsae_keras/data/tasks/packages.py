"""Tasks from Debian packages of recorded sound. Nothing is copied: files are read where the system installed them.

Splits are by kit, phrase, voice or corpus, so that what is alike beyond the label is never in train and test both.
"""

import functools
import math
import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from tsdsae_keras.data.audio.clips import Clip, content_hash, read_clip
from tsdsae_keras.data.audio.patches import play_patch, read_patch
from tsdsae_keras.data.tasks import NotInstalled, Task
from tsdsae_keras.files import sha256

SHARE = Path("/usr/share")
KITS = SHARE / "hydrogen/data/drumkits"
FREEPATS = SHARE / "midi/freepats"
VOICES = SHARE / "games/hedgewars/Data/Sounds/voices"
KLETTRES = SHARE / "klettres"
KTUBERLING = SHARE / "ktuberling/sounds"
WESNOTH = SHARE / "games/wesnoth/1.16/data/core/sounds"

TEST_KITS = ("The Black Pearl", "Millo", "Colombo", "circAfrique", "rumpf")  # Millo's three have one author
DRUMS = {  # the first that is found in an instrument's name
    "hi-hat": r"hi-?\s?hat|\bhh\b|\bohh\b|\bhat\b",
    "hand percussion": r"conga|bongo|djembe|dunun|sangban|kenkeni|clap|cajon|tamb|tombour|agogo|clave|maraca|"
    r"wood.?block|cow.?bell|cabasa|guiro|timbale|shaker|cuica|finger",
    "cymbal": r"crash|ride|cymbal|china|splash|paiste bell",
    "kick": r"kick|bass ?drum",
    "snare": r"snare",
    "tom": r"\btom|tomhi",
}
ENGLISH_TEST = ("British", "Mobster", "Surfer")
SFX = {
    "human": r"^(human|groan|male|female|woman|man)",
    "undead": r"^(undead|skeleton|ghost|zombie|ghoul|lich)",
    "animal": r"^(wolf|horse|bat|bird|gryphon|spider|rat|cat|dog|fox|squid|scorpion)",
    "monster": r"^(troll|orc|drake|naga|ogre|lizard|saurian|goblin|yeti|mud|dwarf|gargoyle|cuttle|water|tentacle)",
    "magic": r"^(magic|heal|holy|fire|ice|lightning|faerie|curse|summon|teleport|wail|flame|sparkle)",
    "weapon": r"^(sword|axe|bow|dagger|spear|mace|staff|club|crossbow|hammer|fist|lance|sling|whip|claws|morning)",
    "ambient": r"^(ambient|rumble|bell|door|chest|gold|wind|water-|drip|thunder|open|close|lever|gate|bridge)",
}


def find_folder(folder, package):
    """The folder of a package; NotInstalled names the package where it is not there."""
    if not folder.is_dir():
        raise NotInstalled(f"{folder} is not installed; for it: apt-get install {package}")
    return folder


def open_drum6(cache=None):
    """Six kinds of drums; whole kits are in test."""
    clips = [clip for clip in list_kits() if clip.label]
    for path in sorted(FREEPATS.glob("Drum_000/*.pat")):
        label = drum_of(path.stem.replace("_", " "))
        if label:
            clips.append(Clip(f"freepats/{path.stem}", functools.partial(_read_drum, path), label, "test", "freepats"))
    licence = "hydrogen-drumkits: GPL-2(+), CC-BY(-SA)-3.0 or CC0 by kit; freepats: GPL-2+ with exception"
    return Task("drum6", "drums by kind", 1.0, clips, licence=licence)


def drum_of(name):
    """The kind of a drum by the name of its instrument, or ""."""
    return next((kind for kind, pattern in DRUMS.items() if re.search(pattern, name, re.IGNORECASE)), "")


def list_kits():
    """Every sample of Hydrogen's kits, with its kind of drum or "", train or test by kit."""
    clips = {}
    for kit in sorted(find_folder(KITS, "hydrogen-drumkits").iterdir()):
        split = "test" if kit.name.startswith(TEST_KITS) else "train"
        for file, instrument in _instruments(kit):
            path = kit / file
            if path.is_file() and path not in clips:
                name, read = f"hydrogen/{kit.name}/{file}", functools.partial(read_clip, path, 10)
                clips[path] = Clip(name, read, drum_of(instrument), split, kit.name)
    return list(clips.values())


def _instruments(kit):
    """[(file, name of its instrument)] as drumkit.xml has it."""
    try:
        text = (kit / "drumkit.xml").read_text(encoding="utf-8", errors="replace")
        root = ElementTree.fromstring(re.sub(r'\sxmlns="[^"]*"', "", text, count=1))
    except (OSError, ElementTree.ParseError):
        return []
    return [
        (Path(file.text or "").name, instrument.findtext("name") or "")
        for instrument in root.iter("instrument")
        for file in instrument.iter("filename")
    ]


def _read_drum(path):
    sample = read_patch(path)[0]
    return play_patch([sample], 69 + 12 * math.log2(max(sample.root, 1e-3) / 440), 2.0)  # at its own pitch


def open_voice15(cache=None):
    """Who speaks; 20 of the phrases most voices have are only in test."""
    clips, phrases = _voices()
    tested = set(sorted(phrases, key=lambda phrase: sha256(phrase.encode()))[:20])
    clips = [_put(clip, clip.label, "test" if clip.group in tested else "train") for clip in clips]
    return Task("voice15", "voices", 1.5, clips, licence=_HEDGEWARS)


def open_phrase60(cache=None):
    """What is said; three of the English voices are only in test."""
    clips, _ = _voices()
    english = [clip for clip in clips if not re.search(r"_[a-z]{2}$", clip.label)]
    counts = Counter(clip.group for clip in english)
    common = {phrase for phrase, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:60]}
    clips = [
        _put(clip, clip.group, "test" if clip.label in ENGLISH_TEST else "train")
        for clip in english
        if clip.group in common
    ]
    note = "4 to 7 training examples a class"
    return Task("phrase60", "spoken phrases", 1.5, clips, licence=_HEDGEWARS, note=note)


_HEDGEWARS = "hedgewars-data: GFDL-1.3, a few CC-BY-SA"


def _voices():
    """(clips labelled by voice and grouped by phrase, exact copies left out; the phrases that most voices have)."""
    clips, seen = [], set()
    for path in sorted(find_folder(VOICES, "hedgewars-data").glob("*/*.ogg")):
        samples = read_clip(path, 10)
        key = content_hash(samples)
        if key not in seen:
            seen.add(key)
            read = functools.partial(read_clip, path, 10)
            name = f"hedgewars/{path.parent.name}/{path.stem}"
            clips.append(Clip(name, read, path.parent.name, "", path.stem.lower()))
    voices, counts = len({clip.label for clip in clips}), Counter(clip.group for clip in clips)
    return clips, [phrase for phrase, count in counts.items() if count > voices / 2]


def _put(clip, label, split):
    return Clip(clip.name, clip.read, label, split, clip.group)


def open_sfx7(cache=None):
    """Game effects; takes of one effect stay in one fold."""
    folds, clips = tuple(f"fold {number}" for number in range(1, 6)), []
    for path in sorted(find_folder(WESNOTH, "wesnoth-1.16-data").rglob("*.ogg")):
        label = next((kind for kind, pattern in SFX.items() if re.search(pattern, path.stem, re.IGNORECASE)), "")
        stem = re.sub(r"[-_]?(miss|hit|die)?[-_]?\d*$", "", path.stem)
        if label:
            fold = folds[int(sha256(stem.encode())[:8], 16) % 5]
            clips.append(Clip(f"wesnoth/{path.stem}", functools.partial(read_clip, path, 5), label, fold, stem))
    return Task("sfx7", "game effects", 2.0, clips, folds, "wesnoth-1.16-data: GPL-2+")


def open_voice20(cache=None):
    """Letters and syllables by language, each spoken by one voice; drawn by file."""
    clips = [_put(clip, clip.label, "test" if _share(clip.name) < 0.4 else "train") for clip in list_klettres()]
    note = "one voice a language, so voice and channel answer it"
    return Task("voice20", "languages of letters", 1.0, clips, licence="klettres-data: GPL-2+", note=note)


def open_language11(cache=None):
    """The languages that klettres (train) and ktuberling (test) share."""
    train, test = list_klettres(), list_ktuberling()
    shared = {clip.label for clip in train} & {clip.label for clip in test}
    clips = [_put(clip, clip.label, "train") for clip in train if clip.label in shared]
    clips += [_put(clip, clip.label, "test") for clip in test if clip.label in shared]
    licence = "klettres-data and ktuberling-data: GPL-2+"
    return Task("language11", "languages across corpora", 1.5, clips, licence=licence, note="letters against words")


def list_klettres():
    """Letters and syllables, labelled by language."""
    paths = sorted(find_folder(KLETTRES, "klettres-data").glob("*/*/*.ogg"))
    return [_file_of("klettres", path, path.parents[1].name) for path in paths]


def list_ktuberling():
    """Spoken words, labelled by language."""
    paths = sorted(find_folder(KTUBERLING, "ktuberling-data").glob("*/*.*"))
    return [_file_of("ktuberling", path, path.parent.name) for path in paths if path.suffix in (".ogg", ".wav")]


def _file_of(source, path, label):
    name = f"{source}/{label}/{path.parent.name}/{path.stem}"
    return Clip(name, functools.partial(read_clip, path, 10), label, "", name)


def _share(name):
    """A number from 0 to 1 that a name decides."""
    return int(sha256(name.encode())[:8], 16) / 0xFFFFFFFF
