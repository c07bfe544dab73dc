"""Trains super-resolution 64 -> 256 on degraded input: crisp edges, no ringing, no invented texture.

    python -m training.superres --run training/runs/superres --init-from PACK [--decoder training/runs/decoder] --minutes 10

Input is the shrunken render, blurred, quantised and noised a little; for half of the crops it is what the decoder
makes of a noised render, so that the network learns to clean up exactly what it will be given.
"""

from __future__ import annotations

import json
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
from training.conditioning import SceneBatch, collate, share
from training.decoder import DecoderModule, DecoderStage, DecoderTraining, load_encoder, pack_has_sketch
from training.nets.sketch import CHANNELS
from training.nets.superres import SuperResolution
from training.nets.unet import DecoderConfig, anchor
from training.world.scene import SceneOptions, make_scene
from training.world.sprites import SpriteAtlas


@dataclass(frozen=True)
class SuperResTraining:
    """``through_decoder`` is the share of batches whose input the decoder made, from noise up to ``latest``."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(size=256, rough=False, empty=0.1))
    crop: int = 32
    crops_per_scene: int = 2
    through_decoder: float = 0.5
    latest: int = 420
    gradient: float = 0.6
    seed: int = 1


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
        self.module: nn.Module = SuperResolution().to(memory_format=torch.channels_last)

    def large(self, first: int, count: int, seed: int) -> list:
        return [make_scene(self.atlas, self.config.world, np.random.default_rng([seed, first + i])) for i in range(count)]

    @torch.no_grad()
    def decoded(self, large: Tensor, scenes: list, generator: torch.Generator) -> Tensor:
        """What the decoder predicts of the shrunken renders [b, 3, 64, 64], noised to random times."""
        assert self.decoder is not None
        small = F.avg_pool2d(large, 4)
        batch = collate(scenes)
        labels = batch.labels[:, 2::4, 2::4]
        keep = torch.tensor([bool((labels[b] == k).any()) for b, k in batch.owner.tolist()], dtype=torch.bool)
        at64 = SceneBatch(small, labels.to(self.device), labels.to(self.device), (batch.boxes / 4)[keep].to(self.device),
                          batch.owner[keep].to(self.device), scenes)
        scene, segments = self.decoder.embed(at64)
        most = max(int(labels.max()), 1)
        st = self.decoder.st_of(self.decoder.module, at64, segments, most)
        t = torch.randint(40, self.config.latest, (small.shape[0],), generator=generator).to(self.device)
        a, s = self.decoder.schedule.parts(t, 4)
        x = a * small + s * torch.randn(small.shape, generator=generator).to(self.device)
        v = self.decoder.module.unet(x.contiguous(memory_format=torch.channels_last), t, scene, st)
        if self.decoder.config.net.sketch:
            v = anchor(v, x, t, st[0][:, -CHANNELS:])
        return (a * x - s * v.float()).clamp(-1, 1)

    def pair(self, step: int, machine: Machine, batch_size: int, seed: int) -> tuple[Tensor, Tensor]:
        """(input [n, 3, c, c], target [n, 3, 4c, 4c]) crops of one step."""
        c = self.config
        first, count = share(step, batch_size, machine.rank, machine.world)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + first)
        scenes = self.large(first, count, seed)
        large = (torch.from_numpy(np.stack([s.image for s in scenes])).permute(0, 3, 1, 2).float() / 127.5 - 1).to(self.device)
        through = self.decoder is not None and torch.rand((), generator=generator) < c.through_decoder
        small = self.decoded(large, scenes, generator) if through else degrade(F.avg_pool2d(large, 4), generator)
        ins, outs = [], []
        for _ in range(c.crops_per_scene):
            for b in range(count):
                y, x = (int(v) for v in torch.randint(0, small.shape[-1] - c.crop + 1, (2,), generator=generator))
                ins.append(small[b, :, y:y + c.crop, x:x + c.crop])
                outs.append(large[b, :, 4 * y:4 * (y + c.crop), 4 * x:4 * (x + c.crop)])
        return torch.stack(ins).contiguous(memory_format=torch.channels_last), torch.stack(outs)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        small, large = self.pair(step, machine, batch_size, self.config.seed)
        with machine.autocast():
            made = self.module(small).float()
        l1 = (made - large).abs().mean()
        gradient = sum((a - b).abs().mean() for a, b in zip(edges(made), edges(large), strict=True))
        return l1 + self.config.gradient * gradient, {"l1": float(l1.detach())}

    @torch.no_grad()
    def evaluate(self, module: nn.Module, machine: Machine, batches: int = 6) -> dict[str, float]:
        """L1 and PSNR on held-out crops, against bilinear enlargement of the same input."""
        sums = np.zeros(4)
        for i in range(batches):
            small, large = self.pair(i, Machine(machine.device, False), 8, 4242)
            for k, made in enumerate((module(small), F.interpolate(small, scale_factor=4.0, mode="bilinear"))):
                made = made.clamp(-1, 1)
                sums[2 * k] += float((made - large).abs().mean())
                sums[2 * k + 1] += float(10 * torch.log10(4 / (made - large).square().mean()))
        l1, psnr, l1_b, psnr_b = (round(float(v), 4) for v in sums / batches)
        return {"l1": l1, "psnr": psnr, "bilinear l1": l1_b, "bilinear psnr": psnr_b}

    @torch.no_grad()
    def sheet(self, module: nn.Module, file: Path) -> None:
        scenes = self.large(0, 6, 4243)
        large = torch.from_numpy(np.stack([s.image for s in scenes])).permute(0, 3, 1, 2).float() / 127.5 - 1
        generator = torch.Generator().manual_seed(3)
        small = self.decoded(large.to(self.device), scenes, generator) if self.decoder else degrade(F.avg_pool2d(large, 4), generator)
        write_sheet(file, [F.interpolate(small, scale_factor=4.0, mode="bilinear"), module(small), large], side=256)


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
    parser.add_argument("--decoder", type=Path, help="a finished training.decoder run whose output is to be cleaned up")
    parser.add_argument("--sketch", type=Path, help="the sketch's run, if the decoder has one; without one, the pack's")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run, where there is no pack")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 8, "rate": 3e-4 if args.init_from else 8e-4,
                             "decay_from": 0.2, "weight_decay": 0.0, "ema": 0.995})
    config = from_file(SuperResTraining, args.config, "superres")
    large_file = args.world / "sprites-large.npz"
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    if large_file.is_file():
        with np.load(large_file) as data:
            atlas = SpriteAtlas(data["sprites"][None], ("fluent-emoji-flat",))
    decoder = load_decoder(args.decoder, args.init_from, args.clip, atlas, machine.device, args.sketch)
    stage = SuperResStage(config, atlas, decoder, machine.device)
    if args.init_from is not None:
        load_network(args.init_from, "super_resolution", stage.module)
    before = stage.evaluate(stage.module.to(machine.device).eval(), machine)
    stage.module.train()
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        figures = {"before": before, "after": stage.evaluate(module, machine)}
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
