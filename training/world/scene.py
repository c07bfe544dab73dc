"""One illustrated scene: a setting, sprites with soft shadows, exact and rough panoptic ids, captions."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from training.world import masks
from training.world.settings import draw_setting
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import COLOUR_HUES, COLOURS, SCENE_PHRASES, concepts, settings

Rng = np.random.Generator


@dataclass(frozen=True)
class SceneOptions:
    """What scenes look like. Sizes are sides of the sprite's square, in units of the picture. ``exact`` is the share of
    exact masks where ``rough`` ones are drawn (None: that of ``masks.ROUGH_KINDS``), ``loose`` then that of ovals and
    boxes. ``backdrop`` also keeps the picture as it was before its last things were drawn."""

    size: int = 64
    styles: tuple[int, ...] = (0,)
    counts: tuple[float, ...] = (0.34, 0.28, 0.18, 0.10, 0.05, 0.03, 0.01, 0.01)
    empty: float = 0.06
    largest: float = 0.9
    smallest: float = 0.16
    recolour: float = 0.22
    tilt: float = 14.0
    shadow: float = 0.5
    smallest_area: float = 0.008
    smallest_visible: float = 0.4
    keep_segment: float = 0.92
    rough: bool = True
    exact: float | None = None
    loose: float = 0.0
    concept_ids: tuple[int, ...] | None = None
    backdrop: bool = False


@dataclass
class Segment:
    """One thing in a scene. ``mask`` id is its place in the list plus one."""

    concept: int
    style: int
    colour: str | None
    side: float
    rough_kind: str = "exact"
    hue: float = 0.0
    """Degrees by which its colours were turned."""

    @property
    def label(self) -> str:
        name = concepts()[self.concept].label
        return f"{self.colour} {name}" if self.colour else name


@dataclass
class Scene:
    """``image`` [s, s, 3] uint8; ``labels`` (rough, as drawn) and ``exact`` [s, s] uint8, 0 = none. ``backdrop`` is the
    image without some or all of the things that segments name; the image itself where that would hide others too."""

    image: np.ndarray
    labels: np.ndarray
    exact: np.ndarray
    segments: list[Segment]
    setting: str
    caption: str
    others: list[Segment] = field(default_factory=list)
    backdrop: np.ndarray | None = None


def rotate_hue(rgba: np.ndarray, degrees: float) -> np.ndarray:
    """Turns the hue of a premultiplied sprite, keeping lightness roughly; ``[h, w, 4]`` uint8."""
    hsv = cv2.cvtColor(rgba[..., :3], cv2.COLOR_RGB2HSV)
    hsv[..., 0] = ((hsv[..., 0].astype(np.int32) + int(degrees / 2)) % 180).astype(np.uint8)
    out = rgba.copy()
    out[..., :3] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    return out


def dominant_colour(rgba: np.ndarray) -> str | None:
    """The colour word of most saturated pixels of a sprite, or None where grey or mixed."""
    hsv = cv2.cvtColor(rgba[..., :3], cv2.COLOR_RGB2HSV)
    solid = (rgba[..., 3] > 200) & (hsv[..., 1] > 90) & (hsv[..., 2] > 90)
    if solid.sum() < 0.35 * max((rgba[..., 3] > 200).sum(), 1):
        return None
    hue = hsv[..., 0][solid].astype(np.float32) * 2
    gaps = np.stack([np.abs((hue - COLOUR_HUES[c] + 180) % 360 - 180) for c in COLOURS])
    nearest = np.bincount(gaps.argmin(0), minlength=len(COLOURS))
    best = int(nearest.argmax())
    return COLOURS[best] if nearest[best] > 0.55 * nearest.sum() else None


def place_sprite(sprite: np.ndarray, size: int, side: float, x: float, y: float, angle: float, flip: bool) -> np.ndarray:
    """The sprite moved onto an empty square of ``size`` pixels: premultiplied ``[size, size, 4]`` float32 0..1."""
    n = sprite.shape[0]
    scale = side * size / n
    cos, sin = np.cos(np.radians(angle)) * scale, np.sin(np.radians(angle)) * scale
    mirror = -1.0 if flip else 1.0
    a = np.array([[cos * mirror, -sin, 0.0], [sin * mirror, cos, 0.0]])
    a[:, 2] = np.array([x * size - 0.5, y * size - 0.5]) - a[:, :2] @ np.array([(n - 1) / 2, (n - 1) / 2])
    moved = cv2.warpAffine(sprite, a, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return moved.astype(np.float32) / 255.0


def soft_shadow(image: np.ndarray, x: float, y: float, side: float, alpha: np.ndarray) -> None:
    """Darkens an ellipse at the object's foot, in place, so that it sits in the scene."""
    size = image.shape[0]
    rows = np.flatnonzero(alpha.max(1) > 0.5)
    columns = np.flatnonzero(alpha.max(0) > 0.5)
    if rows.size == 0 or columns.size == 0:
        return
    cx, cy = (columns[0] + columns[-1]) / 2, float(rows[-1])
    rx, ry = max((columns[-1] - columns[0]) * 0.5, 1), max(side * size * 0.07, 1)
    yy, xx = np.ogrid[:size, :size]
    fade = np.clip(1.3 - np.sqrt(((xx - cx) / rx) ** 2 + ((yy - cy) / ry) ** 2), 0, 1) / 1.3
    image *= (1 - 0.42 * fade)[..., None]


def choose_place(rng: Rng, side: float, placed: list[tuple[float, float, float]]) -> tuple[float, float]:
    """A centre that overlaps least with what is already there, of a few tried."""
    best, best_cost = (0.5, 0.5), np.inf
    slack = max(0.5 - side * 0.46, 0.02)
    for _ in range(8 if placed else 1):
        x, y = 0.5 + rng.uniform(-slack, slack), 0.5 + rng.uniform(-slack, slack)
        cost = sum(max(0.0, (side + s) / 2 - max(abs(x - px), abs(y - py))) for px, py, s in placed)
        if cost < best_cost:
            best, best_cost = (x, y), cost
    return best


def pick_sides(rng: Rng, count: int, options: SceneOptions) -> np.ndarray:
    """Sides of the sprites, largest first: fewer things are larger."""
    high = min(options.largest, 1.15 / np.sqrt(count) if count > 1 else options.largest)
    low = min(options.smallest if count > 1 else options.smallest * 1.4, high * 0.6)
    return np.sort(rng.uniform(low, high, count))[::-1]


def caption_of(rng: Rng, setting: str, labels: list[str]) -> str:
    """A sentence about the whole scene in one of the phrases."""
    if not labels:
        return setting
    phrase = SCENE_PHRASES[int(rng.integers(len(SCENE_PHRASES)))]
    if phrase.count("{label}") == 2 and len(labels) < 2:
        phrase = SCENE_PHRASES[2]
    chosen = [labels[i] for i in rng.permutation(len(labels))]
    for label in chosen[: phrase.count("{label}")]:
        phrase = phrase.replace("{label}", label, 1)
    return phrase.replace("{setting}", setting)


def make_scene(atlas: SpriteAtlas, options: SceneOptions, rng: Rng, setting: str | None = None) -> Scene:
    """Draws one scene. The same ``rng`` state gives the same scene."""
    size = options.size
    if setting is None:
        names = settings()
        # places by kind, not by caption, so that coloured rooms do not crowd out the outdoors
        kind = rng.random()
        setting = names[int(rng.integers(38))] if kind < 0.68 else names[38 + int(rng.integers(len(names) - 38))]
    image = draw_setting(setting, size, rng).astype(np.float32) / 255.0
    exact = np.zeros((size, size), np.uint8)
    count = 0 if rng.random() < options.empty else 1 + int(rng.choice(len(options.counts), p=options.counts))
    alphas: list[np.ndarray] = []
    segments: list[Segment] = []
    placed: list[tuple[float, float, float]] = []
    before_last, behind = int(rng.integers(count + 1)) if options.backdrop else -1, image
    for side in pick_sides(rng, count, options) if count else []:
        if len(segments) == before_last:
            behind = image.copy()  # a shadow darkens the picture in place
        ids = options.concept_ids
        concept = int(ids[int(rng.integers(len(ids)))]) if ids else int(rng.integers(len(concepts())))
        # one draw however many styles there are: worlds of other styles then show the same layouts
        style = int(options.styles[int(rng.random() * len(options.styles))])
        sprite = atlas.sprite(style, concept, side * size)
        colour, hue = None, 0.0
        if rng.random() < options.recolour:
            hue = rng.uniform(40, 320)
            sprite = rotate_hue(sprite, hue)
            colour = dominant_colour(sprite)
        x, y = choose_place(rng, side, placed)
        moved = place_sprite(sprite, size, side, x, y, rng.normal(0, options.tilt / 2), rng.random() < 0.5)
        if rng.random() < options.shadow:
            soft_shadow(image, x, y, side, moved[..., 3])
        image = image * (1 - moved[..., 3:]) + moved[..., :3]
        placed.append((x, y, float(side)))
        segments.append(Segment(concept, style, colour, float(side), hue=hue))
        alphas.append(moved[..., 3] > 0.5)
        exact[alphas[-1]] = len(segments)
    image8 = to_bytes(image)
    kinds = masks.ROUGH_KINDS if options.exact is None else masks.kinds_with(options.exact, options.loose)
    kept: list[Segment] = []
    others: list[Segment] = []
    new_exact, labels = np.zeros_like(exact), np.zeros_like(exact)
    for i, segment in enumerate(segments):
        visible = exact == i + 1
        area = visible.sum()
        fits = area >= options.smallest_area * size * size and area >= options.smallest_visible * alphas[i].sum()
        if not fits or len(kept) == 254 or rng.random() > options.keep_segment:
            others.append(segment)
            continue
        kept.append(segment)
        new_exact[visible] = len(kept)
        segment.rough_kind = masks.pick_kind(rng, kinds) if options.rough else "exact"
        labels[masks.roughen(visible, segment.rough_kind, rng)] = len(kept)
    # later things lie on top, so a rough mask never hides the one above it
    present = [k for k in range(1, len(kept) + 1) if (labels == k).sum() >= 0.5 * options.smallest_area * size * size]
    scene = compact(Scene(image8, labels, new_exact, kept, setting,
                          caption_of(rng, setting, [s.label for s in kept + others]), others), present)
    if options.backdrop:
        scene.backdrop = image8 if scene.others or before_last == count else to_bytes(behind)
    return scene


def to_bytes(image: np.ndarray) -> np.ndarray:
    """0..1 to uint8."""
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)


def compact(scene: Scene, present: list[int]) -> Scene:
    """Drops the segments whose rough mask was covered, and numbers the rest from 1."""
    table = np.zeros(256, np.uint8)
    table[present] = np.arange(1, len(present) + 1)
    gone = [s for k, s in enumerate(scene.segments, 1) if k not in present]
    return Scene(scene.image, table[scene.labels], table[scene.exact], [scene.segments[k - 1] for k in present],
                 scene.setting, scene.caption, scene.others + gone)
