"""Where a stage gets its scenes from: drawn in place, or ahead of time by many processes to keep a GPU busy."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from training.conditioning import SceneBatch, collate
from training.world.scene import Scene, SceneOptions, make_scene
from training.world.sprites import SpriteAtlas

CHUNK = 32
_atlas: SpriteAtlas | None = None


def _start_worker(atlas: SpriteAtlas) -> None:
    global _atlas
    _atlas = atlas
    torch.set_num_threads(1)


def _draw(options: SceneOptions, seed: int, first: int, count: int) -> list[Scene]:
    assert _atlas is not None
    return [make_scene(_atlas, options, np.random.default_rng([seed, first + i])) for i in range(count)]


@dataclass(frozen=True)
class Wanted:
    """Scenes ``first`` .. ``first + count``."""

    first: int
    count: int


class SceneSource:
    """Scenes by index. With ``workers`` the batches after the one asked for are drawn while the GPU computes.

    The scenes are the same however many processes draw them: scene i depends on the seed and i alone.
    """

    def __init__(self, atlas: SpriteAtlas, options: SceneOptions, seed: int, workers: int = 0, ahead: int = 6) -> None:
        self.atlas, self.options, self.seed, self.ahead = atlas, options, seed, ahead
        self.pool = ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(atlas,)) if workers else None
        self.waiting: OrderedDict[Wanted, list[Future[list[Scene]]]] = OrderedDict()

    def _submit(self, wanted: Wanted) -> None:
        assert self.pool is not None
        last = wanted.first + wanted.count
        self.waiting[wanted] = [self.pool.submit(_draw, self.options, self.seed, at, min(CHUNK, last - at))
                                for at in range(wanted.first, last, CHUNK)]

    def get(self, first: int, count: int, stride: int | None = None) -> SceneBatch:
        """A batch; the next one asked for is expected ``stride`` further on (the global batch)."""
        if self.pool is None:
            rngs = (np.random.default_rng([self.seed, first + i]) for i in range(count))
            return collate([make_scene(self.atlas, self.options, rng) for rng in rngs])
        for k in range(self.ahead + 1):
            wanted = Wanted(first + k * (stride or count), count)
            if wanted not in self.waiting:
                self._submit(wanted)
        scenes = [scene for part in self.waiting.pop(Wanted(first, count)) for scene in part.result()]
        for stale in [w for w in self.waiting if w.first < first]:
            self.waiting.pop(stale)
        return collate(scenes)

    def close(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
