"""Visitors: things in a picture that nobody asked for, told by colours outside the segments that the setting has nowhere."""

from __future__ import annotations

import cv2
import numpy as np

from training.world.scene import Scene

AROUND = 9
"""Pixels by which segments are widened first: what bleeds over an edge is no visitor."""
STRANGE = 60.0
"""Distance in RGB (0..255 each) to the nearest colour of the true backdrop from which a colour is strange to it."""
ENOUGH = 0.02
"""Share of strange pixels from which a picture has visitors; no true render comes near it."""


def strange_share(pixels: np.ndarray, scene: Scene) -> float:
    """Share of the pixels outside the segments of a picture [3, s, s] in -1..1 whose colours the true one lacks there."""
    made = ((pixels + 1) * 127.5).clip(0, 255).transpose(1, 2, 0).astype(np.float32)
    outside = cv2.dilate((scene.labels > 0).astype(np.uint8), np.ones((AROUND, AROUND), np.uint8)) == 0
    if not outside.any():
        return 0.0
    known = np.unique(scene.image[outside] // 4, axis=0).astype(np.float32) * 4 + 2
    nearest = np.full(int(outside.sum()), np.inf, np.float32)
    for colours in np.array_split(known, max(len(known) // 256, 1)):
        nearest = np.minimum(nearest, ((made[outside][:, None] - colours[None]) ** 2).sum(2).min(1))
    return float((nearest > STRANGE**2).mean())


def visitors(pixels: np.ndarray, scenes: list[Scene]) -> np.ndarray:
    """Which pictures [n, 3, s, s] of scenes, drawn by exact masks, have visitors: [n] bool."""
    return np.array([strange_share(p, s) > ENOUGH for p, s in zip(pixels, scenes, strict=True)])
