"""The drawing: what a thing looks like by itself, upright and whole, from its embedding alone.

A shape that tells little (a circle around "crab") leaves a network that learns from crops with the mean of all crabs
that fit into it. By itself a thing always looks the same, so it can be learnt sharply; laid into the drawn shape it is
a first guess there, which the sketch follows as far as the shape allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.nets.unet import EMBEDDING_SCALE

FRAME = 32
"""Side of drawings and sketches in pixels."""


class SketchBlock(nn.Module):
    """Residual block scaled and shifted by the condition."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(8, inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.condition = nn.Linear(condition, 2 * outputs)
        self.norm2 = nn.GroupNorm(8, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.condition(condition)[:, :, None, None].chunk(2, 1)
        h = self.conv1(F.silu(self.norm1(x)))
        return self.skip(x) + self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))


@dataclass(frozen=True)
class SketchConfig:
    """Shape of a drawing, 2.5 M parameters, and of the sketch around it, 2.7 M."""

    embedding: int = 256
    condition: int = 256
    widths: tuple[int, ...] = (192, 128, 96)
    fine: int = 32


class Drawing(nn.Module):
    """Embeddings [n, 256] (unit length) -> [n, 4, 32, 32]: red, green, blue in -1..1 and how much of the thing is here.

    The longer side of the thing's box fills the square, whose centre is the box's.
    """

    def __init__(self, config: SketchConfig = SketchConfig()) -> None:
        super().__init__()
        self.config = config
        a, b, c = config.widths
        self.condition = nn.Sequential(nn.Linear(config.embedding, config.condition), nn.SiLU())
        self.seed = nn.Linear(config.condition, a * 16)
        self.block4 = SketchBlock(a, a, config.condition)
        self.block8 = SketchBlock(a, b, config.condition)
        self.block16 = SketchBlock(b, c, config.condition)
        self.norm = nn.GroupNorm(8, c)
        self.spread = nn.Conv2d(c, 4 * config.fine, 3, padding=1)
        self.fine = nn.Conv2d(config.fine, config.fine, 3, padding=1)
        self.out = nn.Conv2d(config.fine, 4, 3, padding=1)

    def forward(self, embeddings: Tensor) -> Tensor:
        raw = self.raw(embeddings)
        return torch.cat([raw[:, :3].clamp(-1, 1), torch.sigmoid(raw[:, 3:] * 4)], 1)

    def raw(self, embeddings: Tensor) -> Tensor:
        """Colours and logits / 4 of the thing's place: [n, 4, 32, 32]."""
        condition = self.condition(embeddings * EMBEDDING_SCALE)
        h = self.block4(self.seed(condition).reshape(-1, self.config.widths[0], 4, 4), condition)
        h = self.block8(F.interpolate(h, scale_factor=2.0, mode="nearest"), condition)
        h = self.block16(F.interpolate(h, scale_factor=2.0, mode="nearest"), condition)
        h = F.silu(F.pixel_shuffle(self.spread(F.silu(self.norm(h))), 2))
        return self.out(F.silu(self.fine(h)))


def extent(mask: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """First and one past the last row (``axis`` 2) or column (3) of masks [n, 1, s, s] that holds a value above a half:
    [n] each, at least one apart."""
    size = mask.shape[axis]
    there = mask.amax(5 - axis)[:, 0] > 0.5
    line = torch.arange(size, device=mask.device, dtype=torch.float32)[None]
    first = torch.where(there, line, torch.full_like(line, float(size))).amin(1)
    last = torch.where(there, line + 1, torch.zeros_like(line)).amax(1)
    first = torch.minimum(first, torch.full_like(first, size - 1.0))
    return first, torch.maximum(last, first + 1)


def taps(source: Tensor, scale: Tensor, size: int) -> Tensor:
    """Weights [n, out, in] of linear interpolation at places [n, out], smoothed where ``scale`` [n] makes smaller."""
    keep = scale.clamp(max=1)[:, None, None]
    at = torch.arange(size, device=source.device, dtype=torch.float32)
    weights = F.relu(1 - (source[:, :, None] - at).abs() * keep) * keep
    total = weights.sum(2, keepdim=True)
    return weights / torch.where(total > 0.5, total, torch.ones_like(total))


def lay_into(drawing: Tensor, masks: Tensor) -> Tensor:
    """A drawing [n, 4, s, s] as large as fits into the box of a mask [n, 1, s, s], proportions kept, in its middle:
    colours times presence, and presence. Mirrored where that covers the mask better."""
    size = drawing.shape[-1]
    line = torch.arange(size, device=drawing.device, dtype=torch.float32)[None] + 0.5
    thing = [extent(drawing[:, 3:], axis) for axis in (2, 3)]
    room = [extent(masks, axis) for axis in (2, 3)]
    ratio = [(r[1] - r[0]) / (t[1] - t[0]) for t, r in zip(thing, room, strict=True)]
    scale = torch.minimum(*ratio)
    away = [(line - ((r[0] + r[1]) / 2)[:, None]) / scale[:, None] for r in room]
    middle = [((t[0] + t[1]) / 2)[:, None] - 0.5 for t in thing]
    rows = taps(away[0] + middle[0], scale, size)[:, None]
    inked = torch.cat([drawing[:, :3] * drawing[:, 3:], drawing[:, 3:]], 1)
    tall = rows @ inked
    plain = tall @ taps(away[1] + middle[1], scale, size)[:, None].transpose(2, 3)
    turned = tall @ taps(middle[1] - away[1], scale, size)[:, None].transpose(2, 3)
    covered = [(x[:, 3:] * masks).sum((1, 2, 3)) for x in (plain, turned)]
    return torch.where((covered[1] > covered[0] * 1.02)[:, None, None, None], turned, plain)
