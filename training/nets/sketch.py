"""The sketch: what a segment's embedding looks like in the segment's own shape, once per generation.

The spatio-textual map says *what* is in a segment, with the same 256 numbers at each of its places; where in the thing
a place lies, the decoder has to find out anew at every step. A small network says it once: embedding and shape in the
segment's square frame in, a small picture of the thing (and some free channels) out, pasted into the map.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.conditioning import frame_grid
from training.nets.drawing import FRAME, Drawing, SketchBlock, SketchConfig, lay_into
from training.nets.unet import EMBEDDING_SCALE

CHANNELS = 5
INSIDE, COVERED = (0.8, 0.9), (0.15, 0.3)
"""Shares of the laid drawing that lie in the mask, and of the mask that it covers, from which on the drawing begins to
be taken as it is, and at which it is."""


class Sketch(nn.Module):
    """Embeddings [n, 256] (unit length) and masks in their frames [n, 1, 32, 32] (0..1) -> [n, 5, 32, 32].

    Red, green, blue in -1..1; how much of the thing itself is here, 0..1; and 1 throughout, which pasted into the map
    says where segments are. It begins from what the thing looks like by itself, laid into the mask.
    """

    def __init__(self, config: SketchConfig = SketchConfig()) -> None:
        super().__init__()
        self.config = config
        a, b, c = config.widths
        self.shape16 = nn.Conv2d(4, 16, 3, padding=1)
        self.shape8 = nn.Conv2d(16, 32, 3, 2, 1)
        self.shape4 = nn.Conv2d(32, 64, 3, 2, 1)
        self.condition = nn.Sequential(nn.Linear(config.embedding + 64, config.condition), nn.SiLU())
        self.seed = nn.Linear(config.condition, a * 16)
        self.block4 = SketchBlock(a + 64, a, config.condition)
        self.block8 = SketchBlock(a + 32, b, config.condition)
        self.block16 = SketchBlock(b + 16, c, config.condition)
        self.norm = nn.GroupNorm(8, c)
        self.spread = nn.Conv2d(c, 4 * config.fine, 3, padding=1)
        self.fine = nn.Conv2d(config.fine + 1, config.fine, 3, padding=1)
        self.out = nn.Conv2d(config.fine, 4, 3, padding=1)
        self.drawing = Drawing(config)
        self.guess16 = nn.Conv2d(16, 16, 3, padding=1, bias=False)
        self.guess_fine = nn.Conv2d(4, config.fine, 3, padding=1, bias=False)
        self.guess_out = nn.Conv2d(4, 4, 1, bias=False)
        for layer in (self.guess16, self.guess_fine, self.guess_out):
            nn.init.zeros_(layer.weight)

    def forward(self, embeddings: Tensor, masks: Tensor) -> Tensor:
        guess = lay_into(self.drawing(embeddings), masks)
        raw = self.around(guess, embeddings, masks)
        colours, part = raw[:, :3].clamp(-1, 1), torch.sigmoid(raw[:, 3:4] * 4)
        kept = fits(guess[:, 3:], masks)
        there = kept * (guess[:, 3:] * 4).clamp(max=1)
        inked = (guess[:, :3] / guess[:, 3:].clamp(min=1e-2)).clamp(-1, 1)
        colours = colours + there * (inked - colours)
        return torch.cat([colours, part + kept * (guess[:, 3:].clamp(max=1) - part), torch.ones_like(part)], 1)

    def raw(self, embeddings: Tensor, masks: Tensor) -> Tensor:
        """Colours and logits / 4 of the thing's place: [n, 4, 32, 32]."""
        return self.around(lay_into(self.drawing(embeddings), masks), embeddings, masks)

    def around(self, guess: Tensor, embeddings: Tensor, masks: Tensor) -> Tensor:
        """The same, around a drawing laid into the masks."""
        s16 = F.silu(self.shape16(F.pixel_unshuffle(masks, 2)) + self.guess16(F.pixel_unshuffle(guess, 2)))
        s8 = F.silu(self.shape8(s16))
        s4 = F.silu(self.shape4(s8))
        condition = self.condition(torch.cat([embeddings * EMBEDDING_SCALE, s4.mean((2, 3))], 1))
        seed = self.seed(condition).reshape(-1, self.config.widths[0], 4, 4)
        h = self.block4(torch.cat([seed, s4], 1), condition)
        h = self.block8(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), s8], 1), condition)
        h = self.block16(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), s16], 1), condition)
        h = F.silu(F.pixel_shuffle(self.spread(F.silu(self.norm(h))), 2))
        h = F.silu(self.fine(torch.cat([h, masks], 1)) + self.guess_fine(guess))
        return self.out(h) + self.guess_out(guess)


def fits(laid: Tensor, masks: Tensor) -> Tensor:
    """How far a drawing laid into a mask (its presence [n, 1, s, s]) is what the shape asks for: [n, 1, 1, 1] in 0..1.

    An oval or a box around a thing, and the thing's own outline, hold the laid drawing almost whole; an outline of
    another pose cuts much of it off, and only the sketch can follow it."""
    shared = (laid * masks).sum((1, 2, 3), keepdim=True)
    inside = shared / laid.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)
    covered = shared / masks.sum((1, 2, 3), keepdim=True).clamp(min=1e-3)

    def rise(x: Tensor, ends: tuple[float, float]) -> Tensor:
        return ((x - ends[0]) / (ends[1] - ends[0])).clamp(0, 1)

    return rise(inside, INSIDE) * rise(covered, COVERED)


def frame_masks(labels: Tensor, boxes: Tensor, owner: Tensor, size: int = FRAME) -> Tensor:
    """The 0/1 mask of every segment in its own square frame: [n, 1, size, size], sampled bilinearly, 0 outside."""
    if owner.shape[0] == 0:
        return torch.zeros((0, 1, size, size), device=labels.device)
    mask = (labels[owner[:, 0]] == owner[:, 1][:, None, None])[:, None].float()
    grid = frame_grid(boxes, size, labels.shape[-1])
    return F.grid_sample(mask, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def paste(sketches: Tensor, labels: Tensor, boxes: Tensor, owner: Tensor) -> Tensor:
    """Sketches [n, c, k, k] laid into the cells that their segments own: [b, c, s, s], zero elsewhere."""
    b, s, c = labels.shape[0], labels.shape[-1], sketches.shape[1]
    out = sketches.new_zeros((b, c, s, s))
    if owner.shape[0] == 0:
        return out
    line = torch.arange(s, device=labels.device, dtype=torch.float32) + 0.5
    u = (line[None] - boxes[:, 0, None]) / boxes[:, 2, None] * 2
    v = (line[None] - boxes[:, 1, None]) / boxes[:, 2, None] * 2
    grid = torch.stack([u[:, None, :].expand(-1, s, -1), v[:, :, None].expand(-1, -1, s)], -1)
    placed = F.grid_sample(sketches.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    mask = (labels[owner[:, 0]] == owner[:, 1][:, None, None])[:, None].to(placed.dtype)
    return out.float().index_add(0, owner[:, 0], placed * mask)
