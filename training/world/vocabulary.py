"""What the world can show: concepts (shared by all sprite sets), settings, colours and phrases.

The file beside this module is the one that ships in a pack as ``vocabulary.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.json")

SPRITE_SETS: tuple[str, ...] = ("fluent-emoji-flat", "fluent-emoji", "noto", "twemoji")
"""Sets in the order of the atlas. The first is the one that the decoder learns to draw."""

COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
COLOUR_HUES: dict[str, float] = {
    "red": 2.0, "orange": 28.0, "yellow": 52.0, "green": 120.0,
    "teal": 175.0, "blue": 215.0, "purple": 275.0, "pink": 328.0,
}
"""Hue in degrees of each colour word."""

OUTDOOR: tuple[str, ...] = (
    "beach", "city street", "desert", "forest", "hills", "lake",
    "meadow", "mountains", "road", "sea", "sky", "snowy field",
)
TIMES: tuple[str, ...] = ("", " at night", " at sunset")
FIXED: tuple[str, ...] = ("starry space", "underwater")
COLOURED: tuple[str, ...] = (
    "plain {colour} background", "{colour} polka dots background", "{colour} checkered background",
    "stage with {colour} curtains", "room with {colour} walls", "wooden table, {colour} wall",
)
SCENE_PHRASES: tuple[str, ...] = (
    "{setting}", "{label} and {label} on a {setting}", "{label} in a {setting}", "{label}, {setting}",
)


@dataclass(frozen=True)
class Concept:
    """One thing that every sprite set can draw."""

    id: str
    label: str
    tags: tuple[str, ...]


@cache
def concepts() -> tuple[Concept, ...]:
    """All concepts, in the order of the sprite atlas."""
    data = json.loads(VOCABULARY_FILE.read_text("utf-8"))
    return tuple(Concept(c["id"], c["label"], tuple(c["tags"])) for c in data["concepts"])


@cache
def names() -> frozenset[str]:
    """Every concept's own name."""
    return frozenset(c.label for c in concepts())


def settings() -> list[str]:
    """Every caption of a setting without and with time of day, then the coloured ones."""
    outdoor = [place + time for place in OUTDOOR for time in TIMES]
    coloured = [form.format(colour=colour) for form in COLOURED for colour in COLOURS]
    return outdoor + list(FIXED) + coloured
