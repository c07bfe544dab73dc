"""A tiny world made on the spot: the tests need no icon packages, no network and no pack."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.text import BOOK_FILE
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import SPRITE_SETS, concepts

torch.set_num_threads(1)


def toy_sprites(size: int = 32) -> np.ndarray:
    """One simple coloured shape a concept: [concepts, size, size, 4] premultiplied."""
    out = np.zeros((len(concepts()), size, size, 4), np.uint8)
    for i in range(len(out)):
        rng = np.random.default_rng(i)
        colour = (*(int(c) for c in rng.integers(40, 256, 3)), 255)
        canvas = np.zeros((size, size, 4), np.uint8)
        if i % 2:
            cv2.circle(canvas, (size // 2, size // 2), size // 2 - 2, colour, -1)
        else:
            cv2.rectangle(canvas, (3, 3), (size - 4, size - 4), colour, -1)
        out[i] = canvas
    return out


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared world folder with toy sprites and a sentence book that knows nothing yet."""
    folder = tmp_path_factory.mktemp("world")
    sprites = toy_sprites()
    for name in SPRITE_SETS:
        np.savez_compressed(folder / f"sprites-{name}.npz", sprites=sprites)
    np.savez_compressed(folder / BOOK_FILE, texts=np.array(["nothing"]), vectors=np.ones((1, 384), np.float16) / 20)
    return folder


@pytest.fixture(scope="session")
def atlas(world: Path) -> SpriteAtlas:
    return SpriteAtlas.load(world)
