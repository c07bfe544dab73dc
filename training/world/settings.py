"""Procedural settings: skies, places and coloured rooms, drawn at any size.

``draw_setting(name, size, rng)`` returns ``[size, size, 3]`` uint8 RGB. Names are those of
``vocabulary.settings()``. Drawing is in units of the picture, so 64 and 256 px show the same place.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import cv2
import numpy as np

from training.world.vocabulary import COLOUR_HUES, COLOURED, COLOURS, FIXED, OUTDOOR

Rng = np.random.Generator
Colour = tuple[float, float, float]

SKIES: dict[str, tuple[Colour, Colour]] = {
    "": ((96, 168, 240), (200, 228, 250)),
    " at night": ((8, 10, 38), (24, 28, 70)),
    " at sunset": ((110, 64, 122), (238, 138, 72)),
}
LIGHT: dict[str, Colour] = {"": (1.0, 1.0, 1.0), " at night": (0.24, 0.26, 0.36), " at sunset": (0.80, 0.60, 0.52)}


def split_setting(name: str) -> tuple[str, str]:
    """("beach", " at night") for "beach at night"; the time is "" by day and indoors."""
    for time in (" at night", " at sunset"):
        if name.endswith(time):
            return name[: -len(time)], time
    return name, ""


class Canvas:
    """A square float picture with helpers in units of its side."""

    def __init__(self, size: int, rng: Rng) -> None:
        self.size, self.rng = size, rng
        self.pixels = np.zeros((size, size, 3), np.uint8)

    def gradient(self, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
        a, b = int(round(y0 * self.size)), int(round(y1 * self.size))
        ramp = np.linspace(0.0, 1.0, max(b - a, 1))[:, None]
        rows = np.asarray(top) * (1 - ramp) + np.asarray(bottom) * ramp
        self.pixels[a:b] = np.clip(rows, 0, 255).astype(np.uint8)[: b - a, None]

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        """Filled polygon with soft edges; ``points`` [n, 2] in 0..1 (x, y)."""
        fixed = np.rint(np.asarray(points) * self.size * 16).astype(np.int32)
        cv2.fillPoly(self.pixels, [fixed], colour, lineType=cv2.LINE_AA, shift=4)

    def disc(self, x: float, y: float, r: float, colour: Colour) -> None:
        s = self.size * 16
        cv2.circle(self.pixels, (int(x * s), int(y * s)), max(int(r * s), 8), colour, -1, cv2.LINE_AA, 4)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        a, b, c, d = (int(round(v * self.size)) for v in (x0, y0, x1, y1))
        self.pixels[max(b, 0):max(d, 0), max(a, 0):max(c, 0)] = np.asarray(colour, np.uint8)

    def line(self, x0: float, y0: float, x1: float, y1: float, width: float, colour: Colour) -> None:
        s = self.size * 16
        cv2.line(self.pixels, (int(x0 * s), int(y0 * s)), (int(x1 * s), int(y1 * s)), colour,
                 max(int(round(width * self.size)), 1), cv2.LINE_AA, 4)

    def ridge(self, y: float, height: float, colour: Colour, waves: float, sharp: bool = False) -> None:
        """Everything below a wavy (or peaked) line, filled."""
        x = np.linspace(0, 1, 33 if not sharp else 9)
        if sharp:
            line = y - height * self.rng.random(x.size) * (np.arange(x.size) % 2 * 0.8 + 0.2)
        else:
            phase = self.rng.random(2) * 6.28
            line = y - height * (0.6 * np.sin(x * waves + phase[0]) + 0.4 * np.sin(x * waves * 2.1 + phase[1]))
        points = np.concatenate([np.stack([x, line], 1), [[1, 1.05], [0, 1.05]]])
        self.polygon(points, colour)


def lit(colour: Colour, time: str, rng: Rng, spread: float = 8.0) -> Colour:
    """A material's colour under the light of the time of day, varied a little."""
    jitter = rng.normal(0, spread, 3)
    values = [float(np.clip((c + j) * f, 0, 255)) for c, j, f in zip(colour, jitter, LIGHT[time], strict=True)]
    return values[0], values[1], values[2]


def shade(colour: Colour, factor: float) -> Colour:
    r, g, b = (float(np.clip(c * factor, 0, 255)) for c in colour)
    return r, g, b


def sky(canvas: Canvas, time: str, horizon: float = 1.0) -> None:
    """Sky with stars at night; sometimes clouds by day."""
    rng = canvas.rng
    top, bottom = SKIES[time]
    tint = rng.normal(0, 8, 3)
    canvas.gradient(tuple(np.asarray(top) + tint), tuple(np.asarray(bottom) + tint), 0, max(horizon, 0.05))
    if time == " at night":
        for _ in range(int(rng.integers(6, 22))):
            star(canvas, rng.random(), rng.random() * horizon, 0.012)
    elif time == "" and rng.random() < 0.35:
        for _ in range(int(rng.integers(1, 4))):
            x, y, r = rng.random(), rng.random() * horizon * 0.6, 0.03 + 0.05 * rng.random()
            for dx in (-1.0, 0.0, 1.1):
                canvas.disc(x + dx * r, y + abs(dx) * r * 0.3, r * (1 - 0.25 * abs(dx)), (246, 249, 253))


def star(canvas: Canvas, x: float, y: float, r: float) -> None:
    canvas.line(x - r, y, x + r, y, 0.012, (236, 236, 246))
    canvas.line(x, y - r, x, y + r, 0.012, (236, 236, 246))


def beach(c: Canvas, t: str) -> None:
    h = 0.42 + 0.12 * c.rng.random()
    sky(c, t, h + 0.06)
    c.ridge(h, 0.015, lit((40, 104, 186), t, c.rng), 5)
    c.ridge(h + 0.16 + 0.06 * c.rng.random(), 0.03, lit((242, 216, 152), t, c.rng), 5)


def city(c: Canvas, t: str) -> None:
    sky(c, t, 0.8)
    x = -0.05
    window = (250, 226, 128) if t == " at night" else lit((228, 232, 226), t, c.rng)
    while x < 1.0:
        width, top = 0.14 + 0.14 * c.rng.random(), 0.18 + 0.34 * c.rng.random()
        grey = 120 + 60 * c.rng.random()
        c.rectangle(x, top, x + width, 0.8, lit((grey, grey, grey + 8), t, c.rng))
        for wy in np.arange(top + 0.03, 0.76, 0.062):
            for wx in np.arange(x + 0.022, x + width - 0.03, 0.05):
                if t != " at night" or c.rng.random() < 0.7:
                    c.rectangle(wx, wy, wx + 0.026, wy + 0.032, window)
        x += width + 0.01
    c.rectangle(0, 0.8, 1, 1, lit((96, 92, 112), t, c.rng))


def desert(c: Canvas, t: str) -> None:
    sky(c, t, 0.7)
    for i, y in enumerate((0.5, 0.62, 0.78)):
        c.ridge(y, 0.06, lit((232 - 14 * i, 172 - 12 * i, 92 - 6 * i), t, c.rng), 4)


def forest(c: Canvas, t: str) -> None:
    sky(c, t, 0.8)
    c.ridge(0.68, 0.03, lit((84, 150, 62), t, c.rng), 4)
    for _ in range(int(c.rng.integers(8, 15))):
        x, y, h = c.rng.random(), 0.62 + 0.12 * c.rng.random(), 0.32 + 0.3 * c.rng.random()
        green = lit((30, 104 + 24 * c.rng.random(), 56), t, c.rng)
        c.rectangle(x - 0.012, y - 0.04, x + 0.012, y + 0.04, lit((96, 64, 40), t, c.rng))
        c.polygon(np.array([[x, y - h], [x + 0.24 * h, y], [x - 0.24 * h, y]]), green)
    c.ridge(0.8, 0.02, lit((78, 142, 58), t, c.rng), 4)


def hills(c: Canvas, t: str) -> None:
    sky(c, t, 0.8)
    for i, y in enumerate((0.46, 0.6, 0.78)):
        c.ridge(y, 0.08, lit((72 + 20 * i, 146 + 24 * i, 72), t, c.rng), 5)


def lake(c: Canvas, t: str) -> None:
    sky(c, t, 0.6)
    c.ridge(0.46, 0.05, lit((78, 146, 100), t, c.rng), 6)
    y = 0.54 + 0.04 * c.rng.random()
    c.rectangle(0, y, 1, 1, lit((84, 156, 204), t, c.rng))
    for _ in range(8):
        x, w = c.rng.random(), 0.05 + 0.1 * c.rng.random()
        yy = y + 0.03 + (0.8 - y) * c.rng.random()
        c.line(x, yy, x + w, yy, 0.01, lit((136, 192, 224), t, c.rng))
    c.ridge(0.86, 0.02, lit((110, 158, 78), t, c.rng), 5)


def meadow(c: Canvas, t: str) -> None:
    h = 0.5 + 0.1 * c.rng.random()
    sky(c, t, h + 0.1)
    c.ridge(h, 0.03, lit((104, 190, 66), t, c.rng), 5)
    petals = ((240, 84, 84), (250, 232, 96), (246, 246, 246), (222, 120, 220))
    for _ in range(int(c.rng.integers(14, 34))):
        x, y = c.rng.random(), h + 0.08 + (0.9 - h) * c.rng.random()
        c.disc(x, y, 0.011, lit(petals[int(c.rng.integers(4))], t, c.rng))


def mountains(c: Canvas, t: str) -> None:
    sky(c, t, 0.8)
    base = 0.66
    for _ in range(int(c.rng.integers(3, 6))):
        x, w, h = c.rng.random(), 0.24 + 0.2 * c.rng.random(), 0.26 + 0.24 * c.rng.random()
        rock = lit((136, 128, 136), t, c.rng)
        c.polygon(np.array([[x, base - h], [x + w, base + 0.05], [x - w, base + 0.05]]), rock)
        c.polygon(np.array([[x, base - h], [x + w * 0.3, base - h * 0.72], [x, base - h * 0.66],
                            [x - w * 0.3, base - h * 0.72]]), lit((238, 242, 248), t, c.rng))
    c.ridge(base + 0.02, 0.02, lit((108, 156, 74), t, c.rng), 5)


def road(c: Canvas, t: str) -> None:
    h = 0.48 + 0.06 * c.rng.random()
    sky(c, t, h + 0.1)
    c.ridge(h, 0.02, lit((98, 168, 74), t, c.rng), 5)
    x = 0.4 + 0.2 * c.rng.random()
    c.polygon(np.array([[x - 0.03, h], [x + 0.03, h], [x + 0.44, 1.02], [x - 0.44, 1.02]]), lit((96, 94, 104), t, c.rng))
    for k in range(5):
        a = h + (1 - h) * (k / 5) ** 1.4
        c.line(x, a, x, a + 0.05 * (k + 1) / 3, 0.012 + 0.004 * k, lit((246, 220, 116), t, c.rng))


def sea(c: Canvas, t: str) -> None:
    h = 0.38 + 0.14 * c.rng.random()
    sky(c, t, h)
    water = lit((34, 104, 182), t, c.rng)
    c.gradient(water, shade(water, 0.78), h, 1)
    for _ in range(22):
        x, y = c.rng.random(), h + 0.03 + (1 - h) * c.rng.random()
        c.line(x, y, x + 0.07, y + 0.008, 0.01, shade(water, 1.35))


def open_sky(c: Canvas, t: str) -> None:
    sky(c, t, 1.0)


def snowy(c: Canvas, t: str) -> None:
    h = 0.5 + 0.1 * c.rng.random()
    sky(c, t, h + 0.1)
    c.ridge(h, 0.03, lit((240, 244, 250), t, c.rng, 4), 5)
    for _ in range(int(c.rng.integers(10, 34))):
        c.disc(c.rng.random(), c.rng.random(), 0.009, lit((250, 250, 254), "", c.rng, 2))


def space(c: Canvas, _: str) -> None:
    dark = c.rng.normal(0, 4, 3)
    c.gradient(tuple(np.asarray((8, 6, 22)) + dark), tuple(np.asarray((22, 14, 48)) + dark))
    for _i in range(int(c.rng.integers(24, 60))):
        x, y = c.rng.random(2)
        if c.rng.random() < 0.25:
            star(c, x, y, 0.014)
        else:
            c.disc(x, y, 0.006, (200, 200, 222))


def underwater(c: Canvas, _: str) -> None:
    c.gradient((36, 140, 204), (10, 62, 120))
    for _i in range(int(c.rng.integers(4, 12))):
        x, y, r = c.rng.random(), c.rng.random() * 0.8, 0.01 + 0.015 * c.rng.random()
        c.disc(x, y, r, (120, 190, 226))
    c.ridge(0.88, 0.025, lit((206, 182, 128), "", c.rng), 6)


def hue_colour(word: str, saturation: float, value: float, rng: Rng) -> Colour:
    hue = (COLOUR_HUES[word] + rng.normal(0, 4)) % 360 / 360
    r, g, b = colorsys.hsv_to_rgb(hue, saturation, value)
    return r * 255, g * 255, b * 255


def plain(c: Canvas, word: str) -> None:
    a = hue_colour(word, 0.5 + 0.1 * c.rng.random(), 0.9 + 0.08 * c.rng.random(), c.rng)
    c.gradient(a, shade(a, 0.94))


def dots(c: Canvas, word: str) -> None:
    plain(c, word)
    step = 0.1 + 0.06 * c.rng.random()
    offset = c.rng.random(2) * step
    for j, y in enumerate(np.arange(-step, 1 + step, step)):
        for x in np.arange(-step, 1 + step, step):
            c.disc(x + offset[0] + (j % 2) * step / 2, y + offset[1], step * 0.2, (250, 250, 250))


def checks(c: Canvas, word: str) -> None:
    plain(c, word)
    step = 0.1 + 0.08 * c.rng.random()
    offset = c.rng.random(2) * step
    for j in range(-1, int(1 / step) + 2):
        for i in range(-1, int(1 / step) + 2):
            if (i + j) % 2:
                x, y = i * step + offset[0], j * step + offset[1]
                c.rectangle(x, y, x + step, y + step, (250, 250, 250))


def stage(c: Canvas, word: str) -> None:
    c.gradient((66, 24, 30), (40, 16, 20))
    c.rectangle(0, 0.78, 1, 1, (112, 72, 44))
    cloth = hue_colour(word, 0.78, 0.78, c.rng)
    width = 0.14 + 0.06 * c.rng.random()
    for side in (0.0, 1.0 - width):
        for k in range(5):
            x = side + k * width / 5
            c.rectangle(x, 0, x + width / 5 + 0.01, 0.9, shade(cloth, 1.0 if k % 2 else 0.74))


def room(c: Canvas, word: str) -> None:
    wall = hue_colour(word, 0.34 + 0.1 * c.rng.random(), 0.9, c.rng)
    c.gradient(wall, shade(wall, 0.95))
    h = 0.7 + 0.08 * c.rng.random()
    c.rectangle(0, h, 1, 1, (164, 112, 76))
    c.rectangle(0, h, 1, h + 0.025, (236, 230, 222))
    if c.rng.random() < 0.6:
        x, y = 0.08 + 0.5 * c.rng.random(), 0.1 + 0.1 * c.rng.random()
        c.rectangle(x, y, x + 0.28, y + 0.3, (244, 244, 244))
        c.rectangle(x + 0.025, y + 0.025, x + 0.255, y + 0.275, (150, 206, 244))


def table(c: Canvas, word: str) -> None:
    wall = hue_colour(word, 0.34 + 0.1 * c.rng.random(), 0.92, c.rng)
    c.gradient(wall, shade(wall, 0.95))
    h = 0.54 + 0.1 * c.rng.random()
    wood = lit((162, 104, 58), "", c.rng)
    c.rectangle(0, h, 1, 1, wood)
    for _ in range(9):
        x, y = c.rng.random(), h + 0.03 + (0.95 - h) * c.rng.random()
        c.line(x, y, x + 0.2 + 0.2 * c.rng.random(), y + 0.01, 0.01, shade(wood, 0.82))


PLACES: dict[str, Callable[[Canvas, str], None]] = dict(zip(
    OUTDOOR, (beach, city, desert, forest, hills, lake, meadow, mountains, road, sea, open_sky, snowy), strict=True))
PLACES.update(zip(FIXED, (space, underwater), strict=True))
COLOURED_PLACES = dict(zip(COLOURED, (plain, dots, checks, stage, room, table), strict=True))


def draw_setting(name: str, size: int, rng: Rng) -> np.ndarray:
    """Draws one named setting: ``[size, size, 3]`` uint8."""
    canvas = Canvas(size, rng)
    place, time = split_setting(name)
    if place in PLACES:
        PLACES[place](canvas, time)
        return canvas.pixels
    for form, draw in COLOURED_PLACES.items():
        for colour in COLOURS:
            if form.format(colour=colour) == name:
                draw(canvas, colour)
                return canvas.pixels
    raise KeyError(f"unknown setting: {name}")
