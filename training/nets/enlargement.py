"""Enlargement of finished pictures by four: every new pixel is a mean of old ones that the network weighs.

Nothing can come out that was not there: no ringing beyond the colours around a place, no invented texture. What the
network decides is which of the neighbours a place belongs to, so a soft edge becomes a sharp one.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FACTOR = 4
REACH = 3
RINGS = [(dy * r, dx * r) for r in range(1, REACH + 1) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)]
NEIGHBOURS = [(0, 0), *RINGS]
"""Rows and columns from a pixel to those that its 4 x 4 new ones are mixed of: itself and three rings of eight."""


class Enlargement(nn.Module):
    """[b, 3, h, w] -> [b, 3, 4h, 4w] in the input's own range; sees 15 pixels to each side."""

    def __init__(self, channels: int = 32, depth: int = 5) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.SiLU(),
                          nn.Conv2d(channels, channels, 3, padding=1)) for _ in range(depth)])
        self.weigh = nn.Conv2d(channels, FACTOR**2 * len(NEIGHBOURS), 1)
        nn.init.zeros_(self.weigh.weight)
        with torch.no_grad():
            self.weigh.bias.copy_(bilinear().reshape(-1))

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for block in self.blocks:
            h = h + block(h)
        logits = self.weigh(F.silu(h)).float().chunk(len(NEIGHBOURS), 1)
        return mix(x, torch.softmax(torch.stack(logits, 1), 1))


def bilinear() -> Tensor:
    """Logits [25, 16] at which the mix is bilinear enlargement, nearly: where training begins."""
    place = (torch.arange(FACTOR, dtype=torch.float32) + 0.5) / FACTOR - 0.5
    rows, columns = torch.meshgrid(place, place, indexing="ij")
    weights = torch.stack([F.relu(1 - (rows - dy).abs()) * F.relu(1 - (columns - dx).abs()) for dy, dx in NEIGHBOURS])
    return torch.log(weights.reshape(len(NEIGHBOURS), -1) + 1e-3)


def mix(x: Tensor, weights: Tensor) -> Tensor:
    """Pixels [b, 3, h, w] mixed by ``weights`` [b, 25, 16, h, w] that sum to 1 over the neighbours: [b, 3, 4h, 4w]."""
    h, w = x.shape[2:]
    wide = F.pad(x, (REACH, REACH, REACH, REACH), mode="replicate")
    made = None
    for k, (dy, dx) in enumerate(NEIGHBOURS):
        neighbour = wide[:, :, REACH + dy:REACH + dy + h, REACH + dx:REACH + dx + w]
        part = neighbour[:, :, None] * weights[:, None, k]
        made = part if made is None else made + part
    return F.pixel_shuffle(made.flatten(1, 2), FACTOR)
