"""CLIP: an image tower of 2.2 M parameters and a text head on frozen sentence embeddings."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvStage(nn.Module):
    """Halves the map: SiLU(conv(SiLU(conv stride 2)) + 1 x 1 of the averaged input)."""

    def __init__(self, inputs: int, outputs: int, norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2, 1)
        self.norm1 = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.norm2 = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.skip = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = F.silu(self.norm1(self.conv1(x)))
        return F.silu(self.norm2(self.conv2(h)) + self.skip(F.avg_pool2d(x, 2)))


class ImageEncoder(nn.Module):
    """64 x 64 picture or crop (-1..1) -> unit-length embedding [b, 256].

    Batch normalisation is there only while training from nothing; ``fold`` multiplies it into the convolutions.
    """

    def __init__(self, widths: tuple[int, ...] = (64, 96, 160, 256), embedding: int = 256, norm: bool = False) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 5, 2, 2)
        self.stem_norm = nn.BatchNorm2d(32) if norm else nn.Identity()
        ins = (32, *widths[:-1])
        self.stages = nn.ModuleList([ConvStage(i, o, norm) for i, o in zip(ins, widths, strict=True)])
        self.project = nn.Sequential(nn.Linear(widths[-1] * 4, 512), nn.SiLU(), nn.Linear(512, embedding))

    def features(self, pixels: Tensor) -> list[Tensor]:
        """Maps after the stem and every stage: sizes 32, 16, 8, 4, 2."""
        maps = [F.silu(self.stem_norm(self.stem(pixels)))]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps

    def head(self, last: Tensor) -> Tensor:
        return F.normalize(self.project(last.flatten(1)), dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.features(pixels)[-1])

    def fold(self) -> ImageEncoder:
        """A copy without batch normalisation that computes the same in evaluation mode."""
        widths = tuple(s.conv1.out_channels for s in self.stages)
        out = ImageEncoder(widths, self.project[2].out_features)
        pairs = [(self.stem, self.stem_norm, out.stem)]
        for mine, theirs in zip(self.stages, out.stages, strict=True):
            pairs += [(mine.conv1, mine.norm1, theirs.conv1), (mine.conv2, mine.norm2, theirs.conv2)]
            theirs.skip.load_state_dict(mine.skip.state_dict())
        for conv, norm, target in pairs:
            target.load_state_dict(conv.state_dict())
            if isinstance(norm, nn.BatchNorm2d):
                factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
                target.weight.data = conv.weight.data * factor[:, None, None, None].data
                target.bias.data = ((conv.bias - norm.running_mean) * factor + norm.bias).data
        out.project.load_state_dict(self.project.state_dict())
        return out.eval()


class TextHead(nn.Module):
    """Sentence embedding [b, 384] -> unit-length text embedding [b, 256]."""

    def __init__(self, sentence: int = 384, embedding: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(sentence, 1024), nn.GELU(), nn.Dropout(dropout), nn.Linear(1024, embedding))

    def forward(self, sentence: Tensor) -> Tensor:
        return F.normalize(self.layers(sentence), dim=1)
