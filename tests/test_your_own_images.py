"""docs/your-own-images.md followed word for word, in real processes, on photographs of bodies rendered here."""

import json
import math
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tsdsae_keras.data.sets.solids import BODIES, Solids, box

GUIDE = Path(__file__).parents[1] / "docs" / "your-own-images.md"
STEP, TILT = 3, math.radians(25)  # degrees between photographs; how far the camera looks down


def prism(sides, radius, half_height):
    """Normals and distances of the faces of an upright prism: its sides, top and bottom."""
    angles = 2 * np.pi * np.arange(sides) / sides
    around = np.stack([np.cos(angles), 0 * angles, np.sin(angles)], axis=1)
    normals = np.concatenate([around, [[0, 1, 0], [0, -1, 0]]])
    return normals, np.array([radius] * sides + [half_height] * 2)


def vase(sides, radius, slope):
    """A prism whose sides lean outwards."""
    normals, distances = prism(sides, radius, 0.6)
    normals[:sides, 1] = -slope
    return normals / np.linalg.norm(normals, axis=1, keepdims=True), distances


THINGS = {"mug": prism(6, 0.55, 0.5), "box": box(0.7, 0.3, 0.45), "vase": vase(5, 0.45, 0.4)}


def about(axis, angle):
    """The rotation by an angle about the x or the y axis."""
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]] if axis == "x" else [[c, 0, s], [0, 1, 0], [-s, 0, c]])


@pytest.fixture
def place(tmp_path):
    """A folder with `photos`: each thing every three degrees, 128 x 128."""
    (tmp_path / "photos").mkdir()
    for kind, thing in enumerate(THINGS):
        degrees = range(0, 360, STEP)
        poses = np.stack([about("x", TILT) @ about("y", math.radians(each)) for each in degrees])
        images = Solids(THINGS).render(poses, np.full(len(poses), kind))
        for each, image in zip(degrees, images, strict=True):
            large = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
            (tmp_path / "photos" / f"{thing}-{each:03}.png").write_bytes(tf.io.encode_png(large).numpy())
    return tmp_path


def blocks_of_the_guide():
    text = GUIDE.read_text(encoding="utf-8")
    return (re.search(rf"```{kind}\n(.*?)```", text, re.DOTALL).group(1) for kind in ("python", "sh"))


@pytest.mark.slow
@pytest.mark.no_backend
def test_from_photographs_to_the_turn_between_two(place):
    known = [sorted(distances) for _, distances in BODIES.values()]
    assert not any(sorted(distances) in known for _, distances in THINGS.values())
    program, lines = blocks_of_the_guide()
    commands = Path(sys.executable).parent
    how = {"cwd": place, "env": os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}}
    assert subprocess.run([sys.executable, "-c", program], **how).returncode == 0
    said = {}
    for line in map(shlex.split, lines.splitlines()):
        start = time.perf_counter()
        done = subprocess.run(line, capture_output=True, text=True, **how)
        print(f"{shlex.join(line[:2])}: {time.perf_counter() - start:.1f} s\n{done.stdout[-1500:]}")
        assert done.returncode == 0, f"{shlex.join(line)}: {done.stderr}"
        said[line[1]] = done.stdout
    assert "group rotate, 3 channels, 3 classes" in said["prepare"]
    scores = json.loads((place / "runs" / "turntable" / "evaluation.json").read_text())
    assert scores["hit_rate"]["1"]["value"] > 0.5  # chance is 1/32
    assert scores["class_accuracy"]["value"] > 0.9
    assert (place / "runs" / "turntable" / "report.html").is_file()
    angle, *axis = map(float, re.search(r"([\d.]+) degrees about \((.+), (.+), (.+)\)", said["align"]).groups())
    assert abs(angle - 90) < 10 and np.allclose(axis, [0, 1, 0], atol=0.15)
