"""Trains the segmenter of the local IoU metric on scenes with exact ids.

    python -m training.segmenter --run training/runs/segmenter --minutes 6

Ends with the IoU of its masks on held-out true renders, the upper bound of every later table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.machine import Machine
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, scene_batch, share
from training.nets.segmenter import Segmenter
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts


@dataclass(frozen=True)
class SegmenterTraining:
    """Blur and noise make it read soft pictures as well as renders."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(rough=False, keep_segment=1.0, styles=(0, 1, 2, 3)))
    sampled_classes: int = 64
    blur: float = 0.4
    noise: float = 0.08
    seed: int = 3


def class_map(batch: SceneBatch) -> Tensor:
    """[b, s, s] int64: 0 background, concept + 1 elsewhere."""
    out = torch.zeros_like(batch.exact)
    for b, scene in enumerate(batch.scenes):
        for k, segment in enumerate(scene.segments, 1):
            out[b][batch.exact[b] == k] = segment.concept + 1
    return out


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boolean masks; 0 where both are empty."""
    union = float((a | b).sum())
    return float((a & b).sum()) / union if union else 0.0


class SegmenterStage:
    """See ``training.common.loop.Stage``."""

    name = "segmenter"

    def __init__(self, config: SegmenterTraining, atlas: SpriteAtlas, device: torch.device) -> None:
        self.config, self.atlas, self.device = config, atlas, device
        self.module: nn.Module = Segmenter(len(concepts())).to(memory_format=torch.channels_last)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        first, count = share(step, batch_size, machine.rank, machine.world)
        batch = scene_batch(self.atlas, c.world, c.seed, first, count).to(self.device)
        x = batch.images
        soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        mix = (torch.rand(count, 1, 1, 1) < c.blur).float().to(self.device) * torch.rand(count, 1, 1, 1).to(self.device)
        x = x * (1 - mix) + soft * mix + torch.randn_like(x) * (torch.rand(count, 1, 1, 1).to(self.device) * c.noise)
        target = class_map(batch)
        # the classes that are there and some that are not: a softmax over all 594 would cost more than the network
        there = torch.unique(target)
        extra = torch.randint(1, len(concepts()) + 1, (c.sampled_classes,), device=self.device)
        rows = torch.unique(torch.cat([torch.zeros(1, dtype=torch.int64, device=self.device), there, extra]))
        with machine.autocast():
            pixels = self.module.embed(x.contiguous(memory_format=torch.channels_last))
            logits = torch.einsum("behw,ce->bchw", pixels, self.module.bank()[rows].to(pixels.dtype))
        place = torch.searchsorted(rows, target)
        weight = torch.ones(len(rows), device=self.device)
        weight[0] = 0.4
        loss = F.cross_entropy(logits.float(), place, weight=weight)
        return loss, {"right_pixels": float((logits.argmax(1) == place).float().mean())}

    @torch.no_grad()
    def evaluate(self, module: nn.Module, scenes: int = 100) -> dict[str, float]:
        """Mean IoU over segments of held-out renders, asking for the scene's own concepts."""
        batch = scene_batch(self.atlas, SceneOptions(rough=False, keep_segment=1.0), 4321, 0, scenes)
        scores = []
        for b, scene in enumerate(batch.scenes):
            asked = list(dict.fromkeys(s.concept for s in scene.segments))
            if not asked:
                continue
            found = module.assign(batch.images[b:b + 1].to(self.device), asked).cpu().numpy()
            for k, segment in enumerate(scene.segments, 1):
                scores.append(iou(found == asked.index(segment.concept) + 1, scene.exact == k))
        return {"iou": round(float(np.mean(scores)), 4), "segments": len(scores)}

    def sheet(self, module: nn.Module, file: Path) -> None:
        batch = scene_batch(self.atlas, SceneOptions(rough=False), 4321, 0, 8)
        write_sheet(file, [batch.images], batch.exact)


def main() -> None:
    parser = arguments(__doc__)
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 32, "rate": 2e-3, "decay_from": 0.2, "ema": 0.99})
    stage = SegmenterStage(from_file(SegmenterTraining, args.config, "segmenter"), SpriteAtlas.load(args.world), machine.device)
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        figures = stage.evaluate(module)
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
