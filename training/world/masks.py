"""Masks as artists draw them: exact shapes made rough in several ways.

All functions take and return boolean masks ``[h, w]``.
"""

from __future__ import annotations

import cv2
import numpy as np

Rng = np.random.Generator

ROUGH_KINDS: dict[str, float] = {
    "exact": 0.45, "dilated": 0.18, "hull": 0.12, "ellipse": 0.08, "wobble": 0.09, "scribble": 0.08,
}
"""How often each kind is used while training."""


def dilated(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """Grown by 2 to 6 % of the picture."""
    r = max(1, int(round(mask.shape[0] * rng.uniform(0.015, 0.05))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * r + 1, 2 * r + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(bool)


def points_of(mask: np.ndarray) -> np.ndarray:
    """Coordinates [n, 2] (x, y) of the set pixels, int32."""
    return np.argwhere(mask)[:, ::-1].astype(np.int32)


def hull(mask: np.ndarray, _: Rng) -> np.ndarray:
    """The convex hull."""
    out = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(out, cv2.convexHull(points_of(mask)), 1)
    return out.astype(bool)


def ellipse(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """An upright ellipse over the bounding box, a little larger or smaller."""
    points = points_of(mask)
    low, high = points.min(0), points.max(0)
    centre, half = (low + high) / 2, (high - low + 1) / 2 * rng.uniform(0.95, 1.12)
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return ((x - centre[0]) / max(half[0], 1)) ** 2 + ((y - centre[1]) / max(half[1], 1)) ** 2 <= 1


def wobble(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """The hull redrawn as a shaky polygon of 7 to 14 corners."""
    outline = cv2.convexHull(points_of(mask))[:, 0].astype(np.float64)
    closed = np.concatenate([outline, outline[:1]])
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    at = np.linspace(0, along[-1], int(rng.integers(7, 15)), endpoint=False)
    corners = np.stack([np.interp(at, along, closed[:, k]) for k in (0, 1)], 1)
    corners += rng.normal(0, 0.05 * np.sqrt(max(mask.sum(), 1)), corners.shape)
    out = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(out, [np.rint(corners).astype(np.int32)], 1)
    return out.astype(bool)


def scribble(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """A thick stroke back and forth over the shape, as with a brush."""
    points = points_of(mask)
    size = np.sqrt(len(points))
    chosen = points[rng.choice(len(points), min(len(points), int(rng.integers(10, 18))), replace=False)]
    chosen = chosen[np.argsort(chosen[:, 1])]
    out = np.zeros(mask.shape, np.uint8)
    cv2.polylines(out, [chosen], False, 1, max(2, int(round(size * rng.uniform(0.32, 0.5)))))
    return out.astype(bool)


def loose_half(mask: np.ndarray, rng: Rng) -> tuple[np.ndarray, np.ndarray]:
    """Centre and half size of a frame in whose middle the thing lies as large as fits: tight one way, up to 1.6 times as
    large the other."""
    points = points_of(mask)
    low, high = points.min(0), points.max(0)
    grown = (high - low + 1) / 2 * 1.04
    grown[int(rng.integers(2))] *= rng.uniform(1.0, 1.6)
    return (low + high) / 2, np.maximum(grown, 1)


def oval(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """An upright ellipse that the artist drew where the thing is to be, of other proportions than it has."""
    centre, half = loose_half(mask, rng)
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return ((x - centre[0]) / half[0]) ** 2 + ((y - centre[1]) / half[1]) ** 2 <= 1


def box(mask: np.ndarray, rng: Rng) -> np.ndarray:
    """The same as an upright rectangle."""
    centre, half = loose_half(mask, rng)
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    return (np.abs(x - centre[0]) <= half[0]) & (np.abs(y - centre[1]) <= half[1])


LOOSE_KINDS = {"oval": 0.7, "box": 0.3}
"""Shapes that say little of the outline of what is in them."""

ROUGHEN = {"dilated": dilated, "hull": hull, "ellipse": ellipse, "wobble": wobble, "scribble": scribble, "oval": oval,
           "box": box}


def roughen(mask: np.ndarray, kind: str, rng: Rng) -> np.ndarray:
    """One mask in one of ``ROUGH_KINDS`` or ``LOOSE_KINDS``. Masks of fewer than 6 pixels stay exact."""
    if kind == "exact" or mask.sum() < 6:
        return mask
    return ROUGHEN[kind](mask, rng)


def kinds_with(exact: float, loose: float = 0.0) -> dict[str, float]:
    """``ROUGH_KINDS`` with another share of exact masks and a share of ``LOOSE_KINDS``, the others in proportion."""
    rest = (1 - exact - loose) / (1 - ROUGH_KINDS["exact"])
    kinds = {kind: exact if kind == "exact" else share * rest for kind, share in ROUGH_KINDS.items()}
    return kinds | {kind: share * loose for kind, share in LOOSE_KINDS.items()} if loose else kinds


def pick_kind(rng: Rng, kinds: dict[str, float] = ROUGH_KINDS) -> str:
    names = list(kinds)
    weights = np.array([kinds[n] for n in names])
    return names[int(rng.choice(len(names), p=weights / weights.sum()))]
