"""Trains super-resolution 64 -> 256 on degraded input: crisp edges, no ringing, no invented texture.

    python -m training.superres --run training/runs/superres --init-from PACK [--decoder training/runs/decoder] --minutes 10

Input is the shrunken render, blurred, quantised and noised a little; for half of the scenes it is what the decoder
makes of a noised render, so that the network learns to clean up exactly what it will be given. With a sketch it also
sees the sketch map at 128 px: the segment's outline and what its thing looks like, finer than 64 px can show.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.losses import edges
from training.common.machine import Machine
from training.common.pack_weights import load_network, load_projector
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, blocks_to_meet, collate, share
from training.decoder import DecoderModule, DecoderStage, DecoderTraining, load_encoder, pack_has_sketch
from training.nets.sketch import CHANNELS, frame_masks, paste
from training.nets.superres import FINE, SuperResolution
from training.nets.unet import DecoderConfig, anchor
from training.world.scene import Scene, SceneOptions, make_scene
from training.world.sprites import SpriteAtlas

LARGE_SPRITES = "sprites-large.npz"


@dataclass(frozen=True)
class SuperResTraining:
    """``through_decoder`` is the share of scenes whose input the decoder made, in ``passes`` steps from noise of a time
    between ``earliest`` and ``latest``. A batch of new scenes comes every ``fresh_every`` steps; crops are taken of the
    last ``memory`` scenes, ``aimed`` of them around a segment. ``blind`` is the share of scenes without a sketch map,
    ``faint`` that of scenes with a part of its strength, as dials below one ask for.
    A segment whose sketch is farther than ``strange`` (mean difference of colours, -1..1) from its render shows it to
    super-resolution only in a share ``misled`` of cases, which teaches it to see that the two don't belong together, and
    to the decoder never: its thing faces the other way, and a picture half of each would teach nothing."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(size=256, exact=0.6, loose=0.2, empty=0.05))
    crop: int = 32
    crops_per_scene: int = 2
    through_decoder: float = 0.6
    earliest: int = 120
    latest: int = 560
    passes: int = 3
    fresh_every: int = 3
    memory: int = 160
    aimed: float = 0.6
    blind: float = 0.2
    faint: float = 0.1
    strange: float = 0.3
    misled: float = 0.4
    gradient: float = 0.6
    seed: int = 1


@dataclass
class Pictured:
    """One scene as super-resolution meets it: ``small`` [3, 64, 64] and ``large`` [3, 256, 256] in -1..1, ``sketch``
    [c, 128, 128], and the middles of its segments in pixels of ``small`` [n, 2] (x, y)."""

    small: Tensor
    large: Tensor
    sketch: Tensor
    middles: Tensor


def degrade(small: Tensor, generator: torch.Generator) -> Tensor:
    """Random blur, noise and quantisation of [b, 3, h, w] in -1..1."""
    b = small.shape[0]
    sigma = torch.rand(b, generator=generator) * 0.7
    line = torch.arange(-2, 3, dtype=torch.float32)
    kernel = torch.exp(-(line[None] ** 2) / (2 * (sigma[:, None] ** 2 + 1e-4)))
    kernel = (kernel / kernel.sum(1, keepdim=True)).to(small.device)
    x = F.pad(small, (2, 2, 2, 2), mode="replicate").reshape(1, b * 3, *(d + 4 for d in small.shape[2:]))
    wide = kernel.repeat_interleave(3, 0)
    x = F.conv2d(x, wide[:, None, None, :], groups=b * 3)
    x = F.conv2d(x, wide[:, None, :, None], groups=b * 3).reshape(small.shape)
    noise = torch.randn(small.shape, generator=generator).to(small.device)
    level = (torch.rand(b, 1, 1, 1, generator=generator) ** 2 * 0.08).to(small.device)
    return (x + noise * level).clamp(-1, 1)


class SuperResStage:
    """See ``training.common.loop.Stage``."""

    name = "superres"

    def __init__(self, config: SuperResTraining, atlas: SpriteAtlas, decoder: DecoderStage | None, device: torch.device) -> None:
        self.config, self.atlas, self.decoder, self.device = config, atlas, decoder, device
        sketch = CHANNELS if decoder is not None and decoder.config.net.sketch else 0
        self.module: nn.Module = SuperResolution(sketch=sketch).to(memory_format=torch.channels_last)
        self.met: deque[Pictured] = deque(maxlen=config.memory)

    def scenes(self, first: int, count: int, seed: int) -> list[Scene]:
        return [make_scene(self.atlas, self.config.world, np.random.default_rng([seed, first + i])) for i in range(count)]

    @torch.no_grad()
    def sketches(self, large: SceneBatch, at64: SceneBatch, segments: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The sketch maps [b, c, 128, 128] and [b, c, 64, 64] of scenes of 256 px; see ``strange``."""
        assert self.decoder is not None
        boxes, owner, at128 = at64.boxes, at64.owner, large.labels[:, 1::2, 1::2]
        drawn = self.decoder.sketch(segments, frame_masks(at64.labels, boxes, owner))
        fine = paste(drawn, at128, boxes * FINE, owner)
        apart = (fine[:, :3] - F.avg_pool2d(large.images, 2)).abs().mean(1) * fine[:, 3]
        familiar = [i for i, (b, k) in enumerate(owner.tolist())
                    if apart[b][at128[b] == k].sum() <= self.config.strange * fine[b, 3][at128[b] == k].sum()]
        shown = [i for i in range(len(drawn)) if i in familiar or torch.rand((), generator=generator) < self.config.misled]
        return (paste(drawn[shown], at128, boxes[shown] * FINE, owner[shown]),
                paste(drawn[familiar], at64.labels, boxes[familiar], owner[familiar]))

    @torch.no_grad()
    def decoded(self, at64: SceneBatch, embedded: tuple[Tensor, Tensor], map64: Tensor | None,
                generator: torch.Generator, machine: Machine) -> Tensor:
        """What the decoder makes [b, 3, 64, 64] of renders that were noised to random times."""
        assert self.decoder is not None
        scene, segments = embedded
        decoder, c, small = self.decoder, self.config, at64.images
        start = torch.randint(c.earliest, c.latest, small.shape[:1], generator=generator).to(self.device)
        noise = torch.randn(small.shape, generator=generator).to(self.device)
        a, s = decoder.schedule.parts(start, 4)
        x, clean = a * small + s * noise, small
        with machine.autocast():
            st = decoder.st_of(decoder.module, at64, segments, max(int(at64.labels.max()), 1), map64)
            for i in range(c.passes):
                t = (start.float() * (1 - i / c.passes)).long()
                a, s = decoder.schedule.parts(t, 4)
                v = decoder.module.unet(x.contiguous(memory_format=torch.channels_last), t, scene, st).float()
                if map64 is not None:
                    v = anchor(v, x, t, map64)
                clean, rest = (a * x - s * v).clamp(-1, 1), s * x + a * v
                a, s = decoder.schedule.parts((start.float() * (1 - (i + 1) / c.passes)).long(), 4)
                x = a * clean + s * rest
        return clean

    def meet(self, first: int, count: int, seed: int, machine: Machine) -> list[Pictured]:
        """Scenes ``first`` .. ``first + count`` of ``seed`` with what is given of them."""
        c = self.config
        generator = torch.Generator().manual_seed(seed * 1_000_003 + first)
        scenes = self.scenes(first, count, seed)
        batch = whole(collate(scenes)).to(self.device)
        large = batch.images
        small = F.avg_pool2d(large, 4)
        given, fine, coarse = degrade(small, generator), None, None
        if self.decoder is not None:
            labels = batch.labels[:, 2::4, 2::4]
            at64 = SceneBatch(small, labels, labels, batch.boxes / 4, batch.owner, scenes)
            embedded = self.decoder.embed(at64)
            if self.decoder.config.net.sketch:
                fine, coarse = self.sketches(batch, at64, embedded[1], generator)
            through = torch.rand(count, 1, 1, 1, generator=generator).to(self.device) < c.through_decoder
            given = torch.where(through, self.decoded(at64, embedded, coarse, generator, machine), given)
        sketch = torch.zeros(count, 0, 64 * FINE, 64 * FINE, device=self.device) if fine is None else fine
        seeing = (torch.rand(count, 1, 1, 1, generator=generator) >= c.blind).float()
        faint = torch.rand(count, 1, 1, 1, generator=generator)
        seeing = torch.where(torch.rand(count, 1, 1, 1, generator=generator) < c.faint, seeing * faint, seeing).to(self.device)
        return [Pictured(given[b], large[b], (sketch * seeing)[b], batch.boxes[batch.owner[:, 0] == b, :2].cpu() / 4)
                for b in range(count)]

    def place(self, scene: Pictured, generator: torch.Generator) -> tuple[int, int]:
        """Left and top of a crop in pixels of the small picture."""
        most = scene.small.shape[-1] - self.config.crop
        x, y = (int(v) for v in torch.randint(0, most + 1, (2,), generator=generator))
        if len(scene.middles) and torch.rand((), generator=generator) < self.config.aimed:
            chosen = scene.middles[int(torch.randint(len(scene.middles), (), generator=generator))]
            jitter = torch.randint(-8, 9, (2,), generator=generator)
            x, y = (min(max(int(m) + int(j) - self.config.crop // 2, 0), most) for m, j in zip(chosen, jitter, strict=True))
        return x, y

    def crops(self, scenes: list[Pictured], generator: torch.Generator) -> tuple[Tensor, Tensor | None, Tensor]:
        """(small [n, 3, c, c], sketch map [n, k, 2c, 2c] or None, large [n, 3, 4c, 4c]): one crop of each scene."""
        c, parts = self.config.crop, []
        for scene in scenes:
            x, y = self.place(scene, generator)
            parts.append([m[:, f * y:f * (y + c), f * x:f * (x + c)] for m, f in ((scene.small, 1), (scene.sketch, FINE), (scene.large, 4))])
        small, sketch, large = (torch.stack(p) for p in zip(*parts, strict=True))
        small = small.contiguous(memory_format=torch.channels_last)
        return small, sketch.contiguous(memory_format=torch.channels_last) if sketch.shape[1] else None, large

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        count = batch_size // machine.world
        generator = torch.Generator().manual_seed((c.seed * 7919 + step) * 64 + machine.rank)
        for block in blocks_to_meet(step, c.fresh_every, c.memory // count, bool(self.met)):
            self.met.extend(self.meet(*share(block, batch_size, machine.rank, machine.world), c.seed, machine))
        chosen = torch.randint(len(self.met), (count * c.crops_per_scene,), generator=generator)
        small, sketch, large = self.crops([self.met[int(i)] for i in chosen], generator)
        with machine.autocast():
            made = self.module(small, sketch).float()
        l1 = (made - large).abs().mean()
        gradient = sum((a - b).abs().mean() for a, b in zip(edges(made), edges(large), strict=True))
        return l1 + c.gradient * gradient, {"l1": float(l1.detach())}

    @torch.no_grad()
    def evaluate(self, module: nn.Module, machine: Machine, batches: int = 6) -> dict[str, float]:
        """L1 and PSNR on held-out crops, of the network with and without its sketch map and of bilinear enlargement."""
        ways = {"": lambda x, m: module(x, m), "blind ": lambda x, m: module(x, None if m is None else m * 0),
                "bilinear ": lambda x, m: F.interpolate(x, scale_factor=4.0, mode="bilinear")}
        figures: dict[str, float] = {}
        for i in range(batches):
            scenes = self.meet(i * 8, 8, 4242, machine)
            small, sketch, large = self.crops(scenes, torch.Generator().manual_seed(i))
            for name, way in ways.items():
                made = way(small, sketch).clamp(-1, 1)
                for kind, value in (("l1", (made - large).abs().mean()), ("psnr", 10 * torch.log10(4 / (made - large).square().mean()))):
                    figures[name + kind] = figures.get(name + kind, 0.0) + float(value) / batches
        return {k: round(v, 4) for k, v in figures.items()}

    @torch.no_grad()
    def sheet(self, module: nn.Module, file: Path) -> None:
        scenes = self.meet(0, 6, 4243, Machine(self.device, False))
        small, large = torch.stack([s.small for s in scenes]), torch.stack([s.large for s in scenes])
        sketch = torch.stack([s.sketch for s in scenes])
        made = module(small, sketch if sketch.shape[1] else None)
        rows = [F.interpolate(small, scale_factor=4.0, mode="bilinear"), made, large]
        if sketch.shape[1]:
            rows.insert(1, F.interpolate(sketch[:, :3] * sketch[:, 3:4], scale_factor=2.0))
        write_sheet(file, rows, side=256)


def whole(batch: SceneBatch) -> SceneBatch:
    """The batch without the segments that own no place of the map at 64 px."""
    keep = torch.tensor([bool((batch.labels[b, 2::4, 2::4] == k).any()) for b, k in batch.owner.tolist()], dtype=torch.bool)
    return SceneBatch(batch.images, batch.labels, batch.exact, batch.boxes[keep], batch.owner[keep], batch.scenes)


def load_decoder(folder: Path | None, pack: Path | None, clip: Path | None, atlas: SpriteAtlas, device: torch.device,
                 sketch: Path | None = None) -> DecoderStage | None:
    """A trained decoder from its run folder (with the run of its sketch, if it has one), or from a pack, or none."""
    if folder is None and pack is None:
        return None
    net = DecoderConfig(sketch=CHANNELS if pack_has_sketch(pack) else 0)
    if folder is not None:
        net = DecoderConfig(**json.loads((folder / "run.json").read_text("utf-8"))["config"]["net"])
    if folder is not None and bool(net.sketch) != (sketch is not None):
        raise TrainingError("this decoder and --sketch do not belong together", "give --sketch if and only if it was trained with one")
    stage = DecoderStage(DecoderTraining(net=net), atlas, load_encoder(pack, clip), device, sketch=sketch)
    if folder is None and net.sketch and sketch is None:
        assert pack is not None
        load_network(pack, "sketch", stage.sketch)
    if folder is not None:
        stage.module.load_state_dict(load_half(folder, "weights"))
    else:
        assert isinstance(stage.module, DecoderModule) and pack is not None
        load_network(pack, "unet", stage.module.unet)
        load_projector(pack, stage.module.projector)
    stage.module.to(device).eval().requires_grad_(False)
    return stage


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="a pack folder to start from")
    parser.add_argument("--from", dest="start", type=Path, help="another run of this stage whose weights to begin with")
    parser.add_argument("--decoder", type=Path, help="a finished training.decoder run whose output is to be cleaned up")
    parser.add_argument("--sketch", type=Path, help="the sketch's run, if the decoder has one; without one, the pack's")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run, where there is no pack")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 8, "rate": 4e-4 if args.init_from else 8e-4,
                             "decay_from": 0.2, "weight_decay": 0.0, "ema": 0.995})
    config = from_file(SuperResTraining, args.config, "superres")
    atlas = SpriteAtlas.load_large(args.world, LARGE_SPRITES)
    if atlas is None:
        print(f"no {LARGE_SPRITES}: edges at 256 px are as soft as the sprites are")
        atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    decoder = load_decoder(args.decoder, args.init_from, args.clip, atlas, machine.device, args.sketch)
    stage = SuperResStage(config, atlas, decoder, machine.device)
    if args.init_from is not None:
        load_network(args.init_from, "super_resolution", stage.module, fresh=("sketch_in.", "fine_", "gain"))
    if args.start is not None:
        found = stage.module.load_state_dict(load_half(args.start, "weights"), strict=False)
        print(f"begun from {args.start}; fresh: {', '.join(found.missing_keys) or 'nothing'}")
    before = stage.evaluate(stage.module.to(machine.device).eval(), machine)
    stage.module.train()
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        figures = {"before": before, "after": stage.evaluate(module, machine)}
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
