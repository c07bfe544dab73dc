"""Trains the enlargement 256 -> 1024 that follows super-resolution: sharp edges, nothing invented.

    python -m training.enlarge --run training/runs/enlarge --init-from PACK --minutes 30 [--superres RUN]

It is super-resolution's network, begun with its weights, without a sketch map. Half of the inputs are renders of 1024 px
averaged down and blurred, as soft as painted edges can be; the other half are what super-resolution makes of 64 px. Sprites come from ``sprites-huge.npz`` (see README): edges are no sharper
than the sprites are.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field, replace
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
from training.common.pack_weights import load_network
from training.common.sheets import write_sheet
from training.conditioning import blocks_to_meet, share
from training.nets.sketch import CHANNELS
from training.nets.superres import FACTOR, SuperResolution
from training.pack_description import reads_sketch
from training.superres import degrade
from training.world.scene import SceneOptions, make_scene
from training.world.sprites import SpriteAtlas

HUGE_SPRITES = "sprites-huge.npz"


@dataclass(frozen=True)
class EnlargeTraining:
    """``through`` is the share of scenes whose input super-resolution made; ``softest`` the widest blur of the others,
    in pixels of the input. A batch of new scenes comes every ``fresh_every`` steps, a ``portion`` of the batch large;
    crops of ``crop`` pixels are taken of the last ``memory`` scenes."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(size=1024, rough=False, empty=0.1))
    crop: int = 32
    through: float = 0.5
    softest: float = 1.6
    fresh_every: int = 16
    portion: float = 0.25
    memory: int = 64
    gradient: float = 1.0
    seed: int = 1


@dataclass
class Pair:
    """``small`` [3, 256, 256] as the network is given it and ``large`` [3, 1024, 1024] as it should be, 0..255."""

    small: Tensor
    large: Tensor


def without_sketch(network: SuperResolution) -> SuperResolution:
    """A copy that takes no sketch map."""
    out = SuperResolution()
    out.load_state_dict({k: v.clone() for k, v in network.state_dict().items() if k in out.state_dict()})
    return out


def soften(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of [3, h, w] by ``sigma`` pixels."""
    line = torch.arange(-5, 6, dtype=torch.float32)
    kernel = torch.exp(-(line**2) / (2 * sigma**2 + 1e-4))
    kernel = (kernel / kernel.sum())[None, None]
    padded = F.pad(x[:, None], (5, 5, 5, 5), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel[:, :, None]), kernel[..., None])[:, 0]


class EnlargeStage:
    """See ``training.common.loop.Stage``."""

    name = "enlarge"

    def __init__(self, config: EnlargeTraining, atlas: SpriteAtlas, before: SuperResolution, device: torch.device) -> None:
        self.config, self.atlas, self.device = config, atlas, device
        self.before = before.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
        self.module: nn.Module = without_sketch(before).to(memory_format=torch.channels_last)
        self.met: deque[Pair] = deque(maxlen=config.memory)

    @torch.no_grad()
    def given(self, large: Tensor, generator: torch.Generator) -> Tensor:
        """What the network sees [3, 256, 256] of a render [3, 1024, 1024], both in -1..1."""
        if torch.rand((), generator=generator) < self.config.through:
            small = degrade(F.avg_pool2d(large[None], FACTOR**2), generator).to(self.device)
            return self.before(small).float().clamp(-1, 1)[0].cpu()
        return soften(F.avg_pool2d(large, FACTOR), float(torch.rand((), generator=generator)) * self.config.softest)

    def meet(self, first: int, count: int, seed: int) -> list[Pair]:
        """Scenes ``first`` .. ``first + count`` of ``seed``, kept as bytes: a render of 1024 px is 3 MB then."""
        pairs = []
        for i in range(first, first + count):
            image = torch.from_numpy(make_scene(self.atlas, self.config.world, np.random.default_rng([seed, i])).image)
            large = image.permute(2, 0, 1).float() / 127.5 - 1
            small = self.given(large, torch.Generator().manual_seed(seed * 1_000_003 + i))
            pairs.append(Pair(((small + 1) * 127.5).round().byte(), image.permute(2, 0, 1).contiguous()))
        return pairs

    def crops(self, pairs: list[Pair], generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(small [n, 3, c, c], large [n, 3, 4c, 4c]) in -1..1, one crop of each pair: of three places the liveliest, as
        plain sky teaches nothing."""
        c, parts = self.config.crop, []
        for pair in pairs:
            places = torch.randint(0, pair.small.shape[1] - c + 1, (3, 2), generator=generator).tolist()
            y, x = max(places, key=lambda p: float(pair.small[:, p[0]:p[0] + c, p[1]:p[1] + c].float().std((1, 2)).sum()))
            parts.append((pair.small[:, y:y + c, x:x + c],
                          pair.large[:, FACTOR * y:FACTOR * (y + c), FACTOR * x:FACTOR * (x + c)]))
        small, large = (torch.stack(p).to(self.device).float() / 127.5 - 1 for p in zip(*parts, strict=True))
        return small.contiguous(memory_format=torch.channels_last), large

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        count = batch_size // machine.world
        generator = torch.Generator().manual_seed((c.seed * 7919 + step) * 64 + machine.rank)
        fresh = max(int(batch_size * c.portion), machine.world)
        for block in blocks_to_meet(step, c.fresh_every, c.memory * machine.world // fresh, bool(self.met)):
            self.met.extend(self.meet(*share(block, fresh, machine.rank, machine.world), c.seed))
        chosen = torch.randint(len(self.met), (count,), generator=generator).tolist()
        small, large = self.crops([self.met[i] for i in chosen], generator)
        with machine.autocast():
            made = self.module(small).float()
        l1 = (made - large).abs().mean()
        gradient = sum((a - b).abs().mean() for a, b in zip(edges(made), edges(large), strict=True))
        return l1 + c.gradient * gradient, {"l1": float(l1.detach())}

    @torch.no_grad()
    def evaluate(self, module: nn.Module, scenes: int = 24) -> dict[str, float]:
        """On whole held-out scenes, those through super-resolution and the others apart: L1, PSNR, and how sharp it is
        beside the render (mean square of the gradient, made / true), of the network, of bicubic enlargement and of
        super-resolution used once more, which is what the network began as."""
        ways = {"": module, "bicubic ": lambda x: F.interpolate(x, scale_factor=4.0, mode="bicubic"),
                "super-resolution again ": self.before}
        figures: dict[str, list[float]] = {}
        for pair, through in self.held(scenes):
            small, large = (p.to(self.device).float()[None] / 127.5 - 1 for p in (pair.small, pair.large))
            for name, way in ways.items():
                made = way(small).float().clamp(-1, 1)
                sharp = sum(float(e.square().mean()) for e in edges(made)) / sum(float(e.square().mean()) for e in edges(large))
                for kind, value in (("l1", float((made - large).abs().mean())), ("sharpness", sharp),
                                    ("psnr", float(10 * torch.log10(4 / (made - large).square().mean())))):
                    figures.setdefault(f"{'through ' if through else 'soft '}{name}{kind}", []).append(value)
        return {k: round(float(np.mean(v)), 4) for k, v in sorted(figures.items())}

    def held(self, scenes: int) -> list[tuple[Pair, bool]]:
        """Held-out pairs: the first half soft renders, the other through super-resolution."""
        out = []
        for through in (False, True):
            stage = EnlargeStage(replace(self.config, through=float(through)), self.atlas, self.before, self.device)
            out += [(p, through) for p in stage.meet(0, scenes // 2, 4242)]
        return out

    @torch.no_grad()
    def sheet(self, module: nn.Module, file: Path) -> None:
        pairs = [p for p, _ in self.held(6)]
        small, large = (torch.stack(list(t)).float() / 127.5 - 1 for t in zip(*((p.small, p.large) for p in pairs), strict=True))
        made = torch.cat([module(s[None].to(self.device)).cpu() for s in small])
        rows = [F.interpolate(small, scale_factor=4.0, mode="bicubic"), made, large]
        write_sheet(file, [r[..., 300:600, 300:600] for r in rows], side=300)


def load_before(pack: Path | None, run: Path | None) -> SuperResolution:
    """Super-resolution of a pack or of a finished training.superres run."""
    if run is not None:
        weights = load_half(run, "weights")
        network = SuperResolution(sketch=CHANNELS if "sketch_in.weight" in weights else 0)
        network.load_state_dict(weights)
    elif pack is not None:
        network = SuperResolution(sketch=CHANNELS if reads_sketch(pack) else 0)
        load_network(pack, "super_resolution", network)
    else:
        raise TrainingError("the enlargement learns on what super-resolution makes", "give --superres RUN or --init-from PACK")
    return network


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="the pack whose super-resolution comes before")
    parser.add_argument("--superres", type=Path, help="a finished training.superres run instead")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 12, "rate": 3e-4, "decay_from": 0.2,
                             "weight_decay": 0.0, "ema": 0.997})
    config = from_file(EnlargeTraining, args.config, "enlarge")
    atlas = SpriteAtlas.load_large(args.world, HUGE_SPRITES)
    if atlas is None:
        raise TrainingError(f"{args.world / HUGE_SPRITES} is missing, and smaller sprites would teach soft edges",
                            "render it as training/README.md says under Large sprites")
    stage = EnlargeStage(config, atlas, load_before(args.init_from, args.superres), machine.device)
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        figures = stage.evaluate(module)
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
