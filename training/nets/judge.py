"""The judge: a second CLIP of another architecture that never trains anything, only scores."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class JudgeBlock(nn.Module):
    """Two 3 x 3 convolutions with batch normalisation and ReLU, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class JudgeEncoder(nn.Module):
    """64 x 64 picture or crop (-1..1) -> unit-length embedding. Max pooling, global average: unlike the pack's tower."""

    def __init__(self, embedding: int = 192, widths: tuple[int, ...] = (32, 64, 128, 224)) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(12, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        layers: list[nn.Module] = []
        for i, width in enumerate(widths):
            if i:
                layers += [nn.MaxPool2d(2), nn.Conv2d(widths[i - 1], width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            if width != widths[0]:
                layers.append(JudgeBlock(width))
        self.body = nn.Sequential(*layers)
        self.project = nn.Linear(widths[-1], embedding)

    def features(self, pixels: Tensor) -> Tensor:
        """Pooled features [b, 224], also used for the Frechet distance."""
        return self.body(self.stem(F.pixel_unshuffle(pixels, 2))).mean((2, 3))

    def forward(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.project(self.features(pixels)), dim=1)
