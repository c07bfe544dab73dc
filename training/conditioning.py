"""From scenes to what the decoder is told: crops, image embeddings, masks; and batches of scenes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from training.world.scene import Scene, SceneOptions, make_scene
from training.world.sprites import SpriteAtlas

CROP_MARGIN = 1.08


@dataclass
class SceneBatch:
    """``images`` [b, 3, s, s] in -1..1; ``labels``, ``exact`` [b, s, s] int64, 0 = none; ``boxes`` [n, 3] =
    centre x, centre y, side in pixels of every segment; ``owner`` [n, 2] = scene, id."""

    images: Tensor
    labels: Tensor
    exact: Tensor
    boxes: Tensor
    owner: Tensor
    scenes: list[Scene]

    def to(self, device: torch.device) -> SceneBatch:
        return SceneBatch(self.images.to(device), self.labels.to(device), self.exact.to(device),
                          self.boxes.to(device), self.owner.to(device), self.scenes)


def box_of(mask: np.ndarray) -> tuple[float, float, float]:
    """Centre and side of the square crop: 1.08 times the longer side of the bounding box."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    return (x0 + x1) / 2, (y0 + y1) / 2, max(y1 - y0, x1 - x0) * CROP_MARGIN


def pixels_of(images: list[np.ndarray]) -> Tensor:
    """Pictures [s, s, 3] uint8 -> [b, 3, s, s] in -1..1."""
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


def collate(scenes: list[Scene]) -> SceneBatch:
    """Stacks scenes of one size."""
    boxes, owner = [], []
    for b, scene in enumerate(scenes):
        for k in range(1, len(scene.segments) + 1):
            boxes.append(box_of(scene.labels == k))
            owner.append((b, k))
    return SceneBatch(pixels_of([s.image for s in scenes]), torch.from_numpy(np.stack([s.labels for s in scenes])).long(),
                      torch.from_numpy(np.stack([s.exact for s in scenes])).long(),
                      torch.tensor(boxes, dtype=torch.float32).reshape(-1, 3),
                      torch.tensor(owner, dtype=torch.int64).reshape(-1, 2), scenes)


def scene_batch(atlas: SpriteAtlas, options: SceneOptions, seed: int, first: int, count: int) -> SceneBatch:
    """Scenes ``first`` .. ``first + count`` of the endless list that ``seed`` stands for."""
    return collate([make_scene(atlas, options, np.random.default_rng([seed, first + i])) for i in range(count)])


def share(step: int, batch: int, rank: int, world: int) -> tuple[int, int]:
    """(first index, count) of one process in global batch ``step``."""
    count = batch // world
    return step * batch + rank * count, count


def blocks_to_meet(step: int, every: int, kept: int, met: bool) -> range:
    """Which blocks of scenes a stage that remembers the last ``kept`` of them draws at ``step``, one being new every
    ``every`` steps: the new one if it is due; after a resume, when nothing has been ``met`` yet, all that a run without
    a break would still know."""
    block = step // every
    if not met:
        return range(max(block + 1 - max(kept, 1), 0), block + 1)
    return range(block, block + 1) if step % every == 0 else range(0)


def frame_grid(boxes: Tensor, size: int, side: int) -> Tensor:
    """Where the ``size`` x ``size`` pixels of each square frame lie in a picture of ``side`` pixels, for grid_sample:
    [n, size, size, 2]."""
    line = (torch.arange(size, device=boxes.device, dtype=torch.float32) + 0.5) / size - 0.5
    x = (boxes[:, 0, None] + line * boxes[:, 2, None]) / side * 2 - 1
    y = (boxes[:, 1, None] + line * boxes[:, 2, None]) / side * 2 - 1
    return torch.stack([x[:, None, :].expand(-1, size, -1), y[:, :, None].expand(-1, -1, size)], -1)


def crop_segments(images: Tensor, labels: Tensor, boxes: Tensor, owner: Tensor, size: int = 64) -> Tensor:
    """Square crops with everything outside the segment black: [n, 3, size, size] in -1..1. Differentiable."""
    if owner.shape[0] == 0:
        return images.new_zeros((0, 3, size, size))
    scene, ident = owner[:, 0], owner[:, 1]
    mask = (labels[scene] == ident[:, None, None])[:, None].to(images.dtype)
    source = (images[scene] + 1) * mask
    grid = frame_grid(boxes, size, images.shape[-1]).to(source.dtype)
    return F.grid_sample(source, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1


def crop_exact(batch: SceneBatch, size: int = 64) -> Tensor:
    """The same of the things themselves, cut out by their exact masks; of the drawn shape where nothing is left."""
    exact = batch.exact.cpu().numpy()
    found = [box_of(m) if (m := exact[b] == k).any() else box for (b, k), box in
             zip(batch.owner.tolist(), batch.boxes.tolist(), strict=True)]
    boxes = torch.tensor(found, dtype=torch.float32, device=batch.images.device).reshape(-1, 3)
    return crop_segments(batch.images, batch.exact, boxes, batch.owner, size)


def segment_masks(labels: Tensor, most: int) -> Tensor:
    """One-hot masks [b, most, s, s] float of labels [b, s, s]."""
    ids = torch.arange(1, most + 1, device=labels.device)[None, :, None, None]
    return (labels[:, None] == ids).float()


def contours_of(labels: Tensor) -> Tensor:
    """Edges between segments [b, 1, s, s]: 1 where a neighbour to the right or below has another id."""
    edge = torch.zeros_like(labels, dtype=torch.float32)
    edge[:, :, :-1] += (labels[:, :, 1:] != labels[:, :, :-1]).float()
    edge[:, :-1] += (labels[:, 1:] != labels[:, :-1]).float()
    return edge.clamp(max=1)[:, None]


def gather_embeddings(embeddings: Tensor, owner: Tensor, batch: int, most: int) -> Tensor:
    """Segment embeddings [n, 256] laid out by scene: [b, most, 256], zeros where there is no segment."""
    out = embeddings.new_zeros((batch, most, embeddings.shape[1]))
    out[owner[:, 0], owner[:, 1] - 1] = embeddings
    return out


def shake(embeddings: Tensor, most: float, share_of: float) -> Tensor:
    """Noise of length up to ``most`` on a share of unit embeddings, made unit again (conditioning augmentation)."""
    n, d = embeddings.shape
    size = torch.rand(n, 1, device=embeddings.device) * most * (torch.rand(n, 1, device=embeddings.device) < share_of)
    noise = torch.randn_like(embeddings) * (size / d**0.5)
    return F.normalize(embeddings + noise, dim=1)
