"""Trains the drawing: from an embedding to the thing by itself, upright and whole.

    python -m training.drawing --run training/runs/drawing --init-from PACK --minutes 30

No caption is needed: an embedding is that of a thing's crop in some scene (small, turned, mirrored, partly hidden, cut
out exactly or roughly), the target its sprite. What the crop does not show, such as the way a thing faces, is not
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.losses import edges, map_distance
from training.common.machine import Machine
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, crop_exact, crop_segments, share, shake
from training.decoder import load_encoder
from training.nets.clip import ImageEncoder
from training.nets.drawing import FRAME, Drawing, SketchConfig
from training.sketch import drawing_of
from training.world.scene import SceneOptions, rotate_hue
from training.world.source import SceneSource
from training.world.sprites import SpriteAtlas


def drawing_world() -> SceneOptions:
    """Scenes of several things, each of which is one example."""
    return SceneOptions(counts=(0.1, 0.2, 0.3, 0.4), empty=0.0, keep_segment=1.0, smallest=0.2, largest=0.7)


@dataclass(frozen=True)
class DrawingTraining:
    """``exact`` is the share of embeddings of crops cut out exactly; the rest are of rough ones. ``perceptual`` and
    ``same`` weigh the distance of CLIP features, and of the embedding, to the target's, seen in one of
    ``perceptual_every`` steps; ``gradient`` that of differences between neighbours, which keeps eyes and edges.

    Above 0, ``pool`` scenes are drawn and embedded once, before the first step: most of a step's time on a processor
    goes into crops that only say what the thing is, and noise on embeddings keeps a pool from being learnt by heart.
    """

    net: SketchConfig = field(default_factory=SketchConfig)
    world: SceneOptions = field(default_factory=drawing_world)
    exact: float = 0.6
    noise: float = 0.4
    perceptual: float = 0.08
    same: float = 0.3
    perceptual_every: int = 1
    gradient: float = 0.0
    pool: int = 0
    seed: int = 5


@dataclass(frozen=True)
class Pool:
    """Things by themselves: premultiplied targets uint8 [n, 4, 32, 32] and embeddings of their crops, cut out exactly
    and roughly, [n, 256] each."""

    targets: Tensor
    exact: Tensor
    rough: Tensor


def tight(sprite: np.ndarray, size: int) -> np.ndarray:
    """A premultiplied sprite [s, s, 4] uint8, moved so that its box is in the middle of a square of ``size`` whose side
    is the box's longer one."""
    rows, columns = np.flatnonzero((sprite[..., 3] > 127).any(1)), np.flatnonzero((sprite[..., 3] > 127).any(0))
    if not len(rows):
        return cv2.resize(sprite, (size, size), interpolation=cv2.INTER_AREA)
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(y1 - y0, x1 - x0)
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - (y1 - y0)) // 2, (side - (x1 - x0)) // 2
    square[top : top + y1 - y0, left : left + x1 - x0] = sprite[y0:y1, x0:x1]
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side >= size else cv2.INTER_LINEAR)


def on_black(colours: Tensor, presence: Tensor) -> Tensor:
    """Pictures [n, 3, 64, 64] of drawings, as crops are: black around the thing, with a little room."""
    lit = F.pad((colours.clamp(-1.2, 1.2) + 1) * presence, (1, 1, 1, 1))
    return (F.interpolate(lit, size=64, mode="bilinear") - 1).contiguous(memory_format=torch.channels_last)


class DrawingStage:
    """See ``training.common.loop.Stage``."""

    name = "drawing"

    def __init__(self, config: DrawingTraining, atlas: SpriteAtlas, encoder: ImageEncoder, device: torch.device,
                 workers: int = 0) -> None:
        self.config, self.atlas, self.device = config, atlas, device
        self.source = SceneSource(atlas, config.world, config.seed, workers)
        self.encoder = encoder.requires_grad_(False).eval().to(device, memory_format=torch.channels_last)
        self.module: nn.Module = Drawing(config.net).to(memory_format=torch.channels_last)
        self.show = SceneSource(atlas, config.world, 97).get(0, 12).to(device)
        self.pool = self.fill(config.pool) if config.pool else None

    def fill(self, scenes: int, at_once: int = 50) -> Pool:
        """The things of the first ``scenes`` scenes."""
        rows: list[tuple[Tensor, Tensor, Tensor]] = []
        for first in range(0, scenes, at_once):
            batch = self.source.get(first, min(at_once, scenes - first)).to(self.device)
            rows.append((self.sprites(batch), self.embed(batch, 1.0), self.embed(batch, 0.0)))
        return Pool(*(torch.cat(parts) for parts in zip(*rows, strict=True)))

    def sprites(self, batch: SceneBatch) -> Tensor:
        """Sprites by themselves, premultiplied: uint8 [n, 4, 32, 32]."""
        made = []
        for scene in batch.scenes:
            for segment in scene.segments:
                sprite = self.atlas.sprite(segment.style, segment.concept, 2 * FRAME)
                sprite = rotate_hue(sprite, segment.hue) if segment.hue else sprite
                made.append(tight(sprite, FRAME))
        return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).to(self.device)

    @staticmethod
    def as_targets(sprites: Tensor) -> Tensor:
        """Sprites as floats: colours times presence in 0..2, presence in 0..1."""
        found = sprites.float() / 255
        return torch.cat([found[:, :3] * 2, found[:, 3:]], 1)

    def things(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, Tensor]:
        """Targets [n, 4, 32, 32] and embeddings [n, 256] of this process's share of a step: all things of
        ``batch_size`` scenes, or as many out of the pool."""
        c = self.config
        first, count = share(step, batch_size, machine.rank, machine.world)
        if self.pool is None:
            batch = self.source.get(first, count, batch_size).to(self.device)
            return self.as_targets(self.sprites(batch)), self.embed(batch, c.exact)
        draw = np.random.default_rng([c.seed, first])
        chosen = torch.from_numpy(draw.integers(len(self.pool.targets), size=round(count * len(self.pool.targets) / c.pool)))
        exact = torch.from_numpy(draw.random((len(chosen), 1)) < c.exact).to(self.device)
        return (self.as_targets(self.pool.targets[chosen]),
                torch.where(exact, self.pool.exact[chosen], self.pool.rough[chosen]))

    @torch.no_grad()
    def embed(self, batch: SceneBatch, exact: float) -> Tensor:
        """Embeddings [n, 256] of crops, a share ``exact`` of them cut out exactly."""
        rough = crop_segments(batch.images, batch.labels, batch.boxes, batch.owner)
        chosen = torch.rand(len(rough), 1, 1, 1, device=self.device) < exact
        crops = torch.where(chosen, crop_exact(batch), rough)
        return self.encoder(crops.contiguous(memory_format=torch.channels_last)).float()

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        target, embeddings = self.things(step, machine, batch_size)
        lit, there = target[:, :3], target[:, 3:]
        with machine.autocast():
            made = self.module.raw(shake(embeddings, c.noise, 0.5)).float()
        inked = (made[:, :3] + 1) * there
        colour = (inked - lit).abs().mean(1).sum() / there.sum().clamp(min=1)
        part = F.binary_cross_entropy_with_logits(made[:, 3:] * 4, there)
        loss = colour + 0.5 * part
        figures = {"colour": float(colour.detach()), "part": float(part.detach()), "things": float(len(made))}
        if c.gradient:
            apart = sum((a - b).abs().mean(1).sum() for a, b in zip(edges(inked), edges(lit), strict=True))
            loss = loss + c.gradient * apart / there.sum().clamp(min=1)
        if step % c.perceptual_every == 0:
            feature, same = self.likeness(made, lit, there)
            loss = loss + c.perceptual * feature + c.same * (1 - same)
            figures |= {"feature": float(feature.detach()), "same": float(same.detach())}
        return loss, figures

    def likeness(self, made: Tensor, lit: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """Distance of CLIP features to the target's, and cosine of the embeddings, both means."""
        seen = self.encoder.features(on_black(made[:, :3], torch.sigmoid(made[:, 3:] * 4)))
        with torch.no_grad():
            true = self.encoder.features(on_black(lit / there.clamp(min=1e-3) - 1, there))
        feature = map_distance(seen[:4], true[:4]).mean()
        return feature, (self.encoder.head(seen[-1]).float() * self.encoder.head(true[-1]).float()).sum(1).mean()

    @torch.no_grad()
    def sheet(self, module: nn.Module, file: Path) -> None:
        target, made = self.as_targets(self.sprites(self.show))[:24], module(self.embed(self.show, 1.0)[:24])
        write_sheet(file, [on_black(target[:, :3] / target[:, 3:].clamp(min=1e-3) - 1, target[:, 3:]),
                           on_black(made[:, :3], made[:, 3:])])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="a pack folder whose image tower is used")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run")
    parser.add_argument("--from", dest="start", type=Path, help="a pack, or a sketch's run, whose drawing to begin with")
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 16, "rate": 2e-3, "decay_from": 0.3, "ema": 0.998})
    config = from_file(DrawingTraining, args.config, "drawing")
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    stage = DrawingStage(config, atlas, load_encoder(args.init_from, args.clip), machine.device, args.workers)
    if args.start is not None:
        stage.module.load_state_dict(drawing_of(args.start))
    train(stage, loop, machine, args.run, args.steps)
    stage.source.close()


if __name__ == "__main__":
    main()
