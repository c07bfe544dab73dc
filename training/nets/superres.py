"""Super-resolution by four at any size, added to bilinear enlargement."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.nets.sketch import paste

FACTOR = 4
FINE = 2
"""Side of the sketch map that super-resolution reads, in sides of its input: a segment's outline and drawing are known
finer than the decoder could show them."""


class SuperResolution(nn.Module):
    """[b, 3, h, w] in -1..1 -> [b, 3, 4h, 4w], which may overshoot a little.

    With ``sketch`` channels it also takes a sketch map [b, sketch, 2h, 2w], zeros where nothing is known.
    """

    def __init__(self, channels: int = 48, depth: int = 6, sketch: int = 0) -> None:
        super().__init__()
        self.sketch = sketch
        self.conv_in = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.SiLU(),
                          nn.Conv2d(channels, channels, 3, padding=1)) for _ in range(depth)])
        self.up1 = nn.Conv2d(channels, channels * 4, 3, padding=1)
        self.up2 = nn.Conv2d(channels, 32 * 4, 3, padding=1)
        self.refine = nn.Conv2d(32, 32, 3, padding=1)
        self.conv_out = nn.Conv2d(32, 3, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        nn.init.zeros_(self.conv_out.bias)
        if sketch:
            self.sketch_in = nn.Conv2d(FINE**2 * sketch, channels, 3, padding=1, bias=False)
            self.fine_in = nn.Conv2d(channels + sketch, channels, 3, padding=1)
            self.fine_out = nn.Conv2d(channels, channels, 3, padding=1)
            self.gain = nn.Parameter(torch.ones(1))
            for parameter in (self.sketch_in.weight, self.fine_out.weight, self.fine_out.bias):
                nn.init.zeros_(parameter)

    def forward(self, x: Tensor, sketch: Tensor | None = None) -> Tensor:
        h = self.conv_in(x)
        if sketch is not None:
            h = h + self.sketch_in(F.pixel_unshuffle(sketch, FINE))
        for block in self.blocks:
            h = h + block(h)
        h = F.silu(F.pixel_shuffle(self.up1(h), 2))
        if sketch is not None:
            h = h + self.fine_out(F.silu(self.fine_in(torch.cat([h, sketch], 1))))
        h = F.silu(F.pixel_shuffle(self.up2(h), 2))
        h = h + F.silu(self.refine(h))
        made = self.conv_out(h) + F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
        if sketch is None:
            return made
        return made + F.interpolate(self.gain * detail(sketch), scale_factor=2.0, mode="bilinear", align_corners=False)


def paste_fine(sketches: Tensor, labels: Tensor, boxes: Tensor, owner: Tensor) -> Tensor:
    """``paste`` at ``FINE`` times the side of ``labels`` [b, s, s], each place repeated: [b, c, 2s, 2s]."""
    return paste(sketches, labels.repeat_interleave(FINE, 1).repeat_interleave(FINE, 2), boxes * FINE, owner)


def detail(sketch: Tensor) -> Tensor:
    """What the colours of a sketch map [b, 5, 2h, 2w] show that is too fine for h x w: [b, 3, 2h, 2w], zero where no
    thing is. Added to an enlarged picture of the same thing it needs no learning."""
    there = sketch[:, 3:4] * sketch[:, 4:5]
    coarse = F.avg_pool2d(sketch[:, :3] * there, FINE) / (F.avg_pool2d(there, FINE) + 1e-3)
    return (sketch[:, :3] - F.interpolate(coarse, scale_factor=float(FINE), mode="bilinear", align_corners=False)) * there
