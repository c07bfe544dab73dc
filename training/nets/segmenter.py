"""The segmenter of the local IoU metric: which of the words that were asked for is at each pixel."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.nets.judge import JudgeEncoder

WIDTHS = (32, 64, 128, 224)


def double(inputs: int, outputs: int) -> nn.Sequential:
    """Two convolutions with batch normalisation and ReLU."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                         nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Segmenter(nn.Module):
    """A U-net whose way down is the judge's tower, which knows the things already.

    Pixels become embeddings, and so do the judge's embeddings of the concepts' names, by a learnt linear map: any
    subset of the concepts can be asked for. That a pixel belongs to no thing at all is a logit of its own.
    """

    def __init__(self, classes: int, names: int = 192, embedding: int = 64) -> None:
        super().__init__()
        tower = JudgeEncoder(names, WIDTHS)
        self.stem, self.body = tower.stem, tower.body
        self.fine = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        a, b, c, d = WIDTHS
        self.up = nn.ModuleList([double(d + c, 128), double(128 + b, 96), double(96 + a, 64), double(64 + 16, 48)])
        self.pixel = nn.Conv2d(48, embedding, 1)
        self.ground = nn.Conv2d(48, 1, 1)
        self.names: Tensor
        self.register_buffer("names", F.normalize(torch.randn(classes, names), dim=1))
        self.query = nn.Linear(names, embedding, bias=False)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def begin_with(self, judge: JudgeEncoder, names: Tensor) -> None:
        """Takes over the judge's tower and its embeddings [classes, 192] of all names."""
        self.stem.load_state_dict(judge.stem.state_dict())
        self.body.load_state_dict(judge.body.state_dict())
        self.names.copy_(F.normalize(names - names.mean(0), dim=1))

    def forward(self, pixels: Tensor) -> Tensor:
        """[b, 3, h, w] -> logits [b, classes + 1, h, w] over everything; row 0 is the background."""
        return self.logits(pixels, torch.arange(len(self.names), device=pixels.device))

    def logits(self, pixels: Tensor, asked: Tensor) -> Tensor:
        """Logits [b, len(asked) + 1, h, w] of the background and the concepts asked for."""
        h = self.maps(pixels)
        bank = F.normalize(self.query(self.names[asked]), dim=1) * self.scale
        things = torch.einsum("behw,ce->bchw", F.normalize(self.pixel(h), dim=1), bank.to(h.dtype))
        return torch.cat([self.ground(h), things], 1)

    def maps(self, pixels: Tensor) -> Tensor:
        """Features [b, 48, h, w]."""
        maps = [self.fine(pixels), self.stem(F.pixel_unshuffle(pixels, 2))]
        h = maps[-1]
        for layer in self.body:
            if isinstance(layer, nn.MaxPool2d) and h is not maps[-1]:
                maps.append(h)
            h = layer(h)
        for layer in self.up:
            h = layer(torch.cat([F.interpolate(h, scale_factor=2.0, mode="nearest"), maps.pop()], 1))
        return h

    @torch.no_grad()
    def assign(self, pixels: Tensor, asked: list[int]) -> Tensor:
        """[1, 3, h, w] -> [h, w] int: 0 background, k the k-th of the concepts ``asked`` for."""
        return self.logits(pixels, torch.tensor(asked, dtype=torch.int64, device=pixels.device))[0].argmax(0)
