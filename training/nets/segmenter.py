"""The segmenter of the local IoU metric: which of the words that were asked for is at each pixel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Two convolutions with batch normalisation and ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                         nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Segmenter(nn.Module):
    """A small U-net. Pixels become embeddings; classes are prototypes, of which any subset can be asked for."""

    def __init__(self, classes: int, width: int = 32, embedding: int = 64) -> None:
        super().__init__()
        w = width
        self.down = nn.ModuleList([double(3, w), double(w, 2 * w), double(2 * w, 4 * w), double(4 * w, 6 * w)])
        self.up = nn.ModuleList([double(6 * w + 4 * w, 3 * w), double(3 * w + 2 * w, 2 * w), double(2 * w + w, w)])
        self.pixel = nn.Conv2d(w, embedding, 1)
        self.prototypes = nn.Parameter(torch.randn(classes + 1, embedding) * 0.1)
        """Row 0 is the background, row c + 1 concept c."""
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, pixels: Tensor) -> Tensor:
        """[b, 3, h, w] -> logits [b, classes + 1, h, w] over everything."""
        return torch.einsum("behw,ce->bchw", self.embed(pixels), self.bank())

    def bank(self) -> Tensor:
        return F.normalize(self.prototypes, dim=1) * self.scale

    def embed(self, pixels: Tensor) -> Tensor:
        """Unit-length pixel embeddings [b, 64, h, w]."""
        maps = [self.down[0](pixels)]
        for layer in self.down[1:]:
            maps.append(layer(F.max_pool2d(maps[-1], 2)))
        h = maps.pop()
        for layer in self.up:
            h = layer(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), maps.pop()], 1))
        return F.normalize(self.pixel(h), dim=1)

    @torch.no_grad()
    def assign(self, pixels: Tensor, asked: list[int]) -> Tensor:
        """[1, 3, h, w] -> [h, w] int: 0 background, k the k-th of the concepts ``asked`` for."""
        rows = [0, *[c + 1 for c in asked]]
        return torch.einsum("behw,ce->bchw", self.embed(pixels), self.bank()[rows])[0].argmax(0)
