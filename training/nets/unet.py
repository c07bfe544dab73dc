"""The 64 px decoder: v(x_t, t, scene embedding, spatio-textual map)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EMBEDDING_SCALE = 16.0
"""Unit-length embeddings are multiplied by this: entries of about one, as networks like them."""


SKETCH_SPREAD = 0.08
"""Deviation of pictures from their sketches, -1..1, that is put down to chance: it comes out as grain."""
CARVED, KEPT = 0.3, 0.55
"""Presence in a sketch below which a place of a segment is the scene's, and above which it is the thing's."""
SKETCH_UNTIL = 0.05
"""Sigma at which the sketch and the picture on the canvas are trusted alike."""


@dataclass(frozen=True)
class DecoderConfig:
    """Shape of the decoder. The defaults are those of the first pack (11.5 M parameters, 1.18 GMAC).

    ``sketch`` is the number of channels of the sketch map (``training.nets.sketch``) that stand behind the projected
    map at 64 px: red, green, blue, how much of the thing is here, 1 inside segments. 0 leaves the sketch out.
    """

    channels: tuple[int, ...] = (64, 128, 256)
    blocks: tuple[int, ...] = (1, 2, 2)
    heads: int = 4
    groups: int = 8
    embedding: int = 256
    condition: int = 256
    st_channels: int = 16
    contour: bool = False
    sketch: int = 0


def time_features(t: Tensor, count: int = 64) -> Tensor:
    """Sines and cosines of ``t`` [b] (0..1) at frequencies 1000 .. 0.1: [b, 2 * count]."""
    frequencies = 1000.0 * torch.exp(-math.log(1e4) * torch.arange(count, device=t.device, dtype=torch.float32) / count)
    angles = t[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], 1)


class ResBlock(nn.Module):
    """GroupNorm, SiLU, 3 x 3; GroupNorm scaled and shifted by the condition, SiLU, 3 x 3; added."""

    def __init__(self, inputs: int, outputs: int, condition: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.condition = nn.Linear(condition, 2 * outputs)
        self.norm2 = nn.GroupNorm(groups, outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.condition(condition)[:, :, None, None].chunk(2, 1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.skip(x) + h


class Attention(nn.Module):
    """Self-attention over all positions of a small map."""

    def __init__(self, channels: int, heads: int, groups: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.out = nn.Conv2d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w).transpose(-1, -2)
        q, k, v = qkv.unbind(1)
        y = F.scaled_dot_product_attention(q, k, v)
        return x + self.out(y.transpose(-1, -2).reshape(b, c, h, w))


class Stack(nn.Module):
    """A residual block, then attention where the map is small."""

    def __init__(self, inputs: int, outputs: int, config: DecoderConfig, attention: bool) -> None:
        super().__init__()
        self.block = ResBlock(inputs, outputs, config.condition, config.groups)
        self.attention = Attention(outputs, config.heads, config.groups) if attention else None

    def forward(self, x: Tensor, condition: Tensor, st: Tensor | None = None) -> Tensor:
        x = self.block(x, condition)
        if st is not None:
            x = x + st
        return x if self.attention is None else self.attention(x)


def carving(sketch: Tensor) -> Tensor:
    """How much of the map stays at each place, [b, 1, 64, 64], by what the sketch [b, c, 64, 64] says of the thing's
    presence there: nothing below ``CARVED``, all above ``KEPT``. The rest of a circle around "crab" is beach."""
    return ((sketch[:, 3:4] - CARVED) / (KEPT - CARVED)).clamp(0, 1)


class STProjector(nn.Module):
    """The map [b, 256, 64, 64] -> what enters the decoder at 64, 32, 16 and 8 px. Linear, so zeros stay zeros.

    With ``contour`` a channel of edges between segments [b, 1, 64, 64] is added before the convolutions.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        width = config.embedding + int(config.contour)
        self.full = nn.Conv2d(width, config.st_channels, 1, bias=False)
        self.pooled = nn.ModuleList([nn.Conv2d(width, c, 1, bias=False) for c in config.channels])
        for layer in self.pooled:
            nn.init.zeros_(layer.weight)

    def forward(self, st: Tensor, contours: Tensor | None = None, sketch: Tensor | None = None) -> list[Tensor]:
        """``sketch`` [b, c, 64, 64] is put behind the channels at 64 px, and carves the map to where things are."""
        x = st * EMBEDDING_SCALE
        if sketch is not None:
            x = x * carving(sketch)
        if contours is not None:
            x = torch.cat([x, contours], 1)
        pooled = [layer(F.avg_pool2d(x, 2 ** (i + 1))) for i, layer in enumerate(self.pooled)]
        full = self.full(x)
        return [full if sketch is None else torch.cat([full, sketch], 1), *pooled]

    def from_segments(self, embeddings: Tensor, weights: Tensor, contours: Tensor | None = None,
                      sketch: Tensor | None = None) -> list[Tensor]:
        """The same without ever spreading the embeddings over 64 x 64, which would cost 134 MB a batch.

        ``embeddings`` [b, k, 256] unit length, ``weights`` [b, k, 64, 64] 0/1 masks.
        """
        out = []
        if sketch is not None:
            weights = weights * carving(sketch).to(weights.dtype)
        for i, layer in enumerate([self.full, *self.pooled]):
            kernel = layer.weight[:, : embeddings.shape[2], 0, 0]
            mask = weights if i == 0 else F.avg_pool2d(weights, 2**i)
            small = torch.einsum("bke,ce->bkc", embeddings * EMBEDDING_SCALE, kernel.to(embeddings.dtype))
            y = torch.einsum("bkc,bkhw->bchw", small, mask.to(small.dtype))
            if contours is not None:
                edge = contours if i == 0 else F.avg_pool2d(contours, 2**i)
                y = y + edge * layer.weight[:, -1:, 0, 0][None, :, :, None]
            out.append(y if sketch is None or i else torch.cat([y, sketch.to(y.dtype)], 1))
        return out


class ShortWay(nn.Module):
    """What the decoder adds to its own v inside things; see ``anchor`` for what the sketch says itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rest = nn.Conv2d(channels, 12, 3, padding=1)
        nn.init.zeros_(self.rest.weight)
        nn.init.zeros_(self.rest.bias)

    def forward(self, v: Tensor, h: Tensor, sketch: Tensor) -> Tensor:
        """``v`` [b, 3, 64, 64]; ``h`` the last features; ``sketch`` [b, 5, 64, 64]."""
        return v + sketch[:, 3:4] * sketch[:, 4:5] * F.pixel_shuffle(self.rest(h), 2)


def anchor(v: Tensor, x: Tensor, timestep: Tensor, sketch: Tensor, share: float = 1.0,
           spread: float = SKETCH_SPREAD, until: float = SKETCH_UNTIL) -> Tensor:
    """Holds a v prediction to the sketch: a way to the output that need not be learnt, and no dial can overdo.

    If the clean picture were the sketch s plus normal noise of deviation d = ``spread``, then given x_t the best guess
    of v would be sigma (alpha (1 - d^2) x_t - s) / (d^2 alpha^2 + sigma^2). Where the sketch says that the thing is,
    this takes the place of ``v`` as long as x_t is mostly noise, half of it at sigma = ``until``, and leaves it as x_t
    gets clear. In training ``v`` is the network's own; in use it is what guidance made of the passes, and ``share`` how
    much of the segments is in it: their scale, at most 1.

    ``v``, ``x`` [b, 3, 64, 64]; ``timestep`` [b] 0..999; ``sketch`` [b, 5, 64, 64], zeros without segments.
    """
    t = (timestep.float() + 1) / 1000.0
    alpha2 = (cosine_level(t) / cosine_level(torch.zeros_like(t)))[:, None, None, None]
    sigma2 = (1 - alpha2).clamp(min=1e-4)
    way = sigma2.sqrt() * (alpha2.sqrt() * (1 - spread**2) * x - sketch[:, :3]) / (spread**2 * alpha2 + sigma2)
    trust = sigma2 * sigma2 / (sigma2 * sigma2 + until**4)
    return v + min(max(share, 0.0), 1.0) * sketch[:, 3:4] * sketch[:, 4:5] * trust * (way - v)


def cosine_level(t: Tensor) -> Tensor:
    """Cumulative alpha of the cosine schedule at ``t`` in 0..1, before it is divided by its value at 0."""
    return torch.cos((t + 0.008) / 1.008 * (math.pi / 2)).clamp(min=1e-3).square()


class Decoder(nn.Module):
    """Pixel-unshuffle to 32 px, three levels with added skips, pixel-shuffle back to 64 px."""

    def __init__(self, config: DecoderConfig = DecoderConfig()) -> None:
        super().__init__()
        self.config = config
        c, e = config.condition, config.embedding
        self.time = nn.Sequential(nn.Linear(128, c), nn.SiLU(), nn.Linear(c, c))
        self.scene = nn.Sequential(nn.Linear(e, c), nn.SiLU(), nn.Linear(c, c))
        self.conv_in = nn.Conv2d(4 * (3 + config.st_channels), config.channels[0], 3, padding=1)
        if config.sketch:
            self.sketch_in = nn.Conv2d(4 * config.sketch, config.channels[0], 3, padding=1, bias=False)
            self.short = ShortWay(config.channels[0])
            nn.init.zeros_(self.sketch_in.weight)
        self.down = nn.ModuleList()
        width, last = config.channels[0], len(config.channels) - 1
        for level, channels in enumerate(config.channels):
            for _ in range(config.blocks[level]):
                self.down.append(Stack(width, channels, config, level == last))
                width = channels
            if level < last:
                self.down.append(nn.Conv2d(width, width, 3, 2, 1))
        self.middle = nn.ModuleList([
            Stack(width, width, config, True), ResBlock(width, width, c, config.groups)])
        self.up = nn.ModuleList()
        for level in range(last, -1, -1):
            for _ in range(config.blocks[level]):
                self.up.append(Stack(config.channels[level], config.channels[level], config, level == last))
            if level:
                self.up.append(nn.Conv2d(config.channels[level], config.channels[level - 1], 3, padding=1))
        self.norm_out = nn.GroupNorm(config.groups, config.channels[0])
        self.conv_out = nn.Conv2d(config.channels[0], 12, 3, padding=1)

    def forward(self, x: Tensor, timestep: Tensor, scene: Tensor, st: list[Tensor]) -> Tensor:
        """``x`` [b, 3, 64, 64], ``timestep`` [b] 0..999, ``scene`` [b, 256] unit or zero, ``st`` of STProjector -> v."""
        t = (timestep.float() + 1) / 1000.0
        condition = F.silu(self.time(time_features(t)) + self.scene(scene * EMBEDDING_SCALE))
        full, sketch = st[0].to(x.dtype), None
        if self.config.sketch:
            full, sketch = full[:, : self.config.st_channels], full[:, self.config.st_channels:]
        h = self.conv_in(F.pixel_unshuffle(torch.cat([x, full], 1), 2)) + st[1]
        if sketch is not None:
            h = h + self.sketch_in(F.pixel_unshuffle(sketch, 2))
        skips: list[Tensor] = []
        level, first = 0, True
        for layer in self.down:
            if isinstance(layer, Stack):
                h = layer(h, condition, st[level + 1] if first and level else None)
                skips.append(h)
                first = False
            else:
                h, level, first = layer(h), level + 1, True
        h = self.middle[0](h + st[len(self.config.channels)], condition)
        h = self.middle[1](h, condition)
        for layer in self.up:
            if isinstance(layer, Stack):
                h = layer(h + skips.pop(), condition)
            else:
                h = layer(F.interpolate(h, scale_factor=2.0, mode="nearest"))
        h = F.silu(self.norm_out(h))
        v = F.pixel_shuffle(self.conv_out(h), 2)
        return v if sketch is None else self.short(v, h, sketch)
