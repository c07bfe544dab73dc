"""Super-resolution by four at any size, added to bilinear enlargement."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class SuperResolution(nn.Module):
    """[b, 3, h, w] in -1..1 -> [b, 3, 4h, 4w], which may overshoot a little."""

    def __init__(self, channels: int = 48, depth: int = 6) -> None:
        super().__init__()
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

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for block in self.blocks:
            h = h + block(h)
        h = F.silu(F.pixel_shuffle(self.up1(h), 2))
        h = F.silu(F.pixel_shuffle(self.up2(h), 2))
        h = h + F.silu(self.refine(h))
        return self.conv_out(h) + F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
