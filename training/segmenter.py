"""Trains the segmenter of the local IoU metric on scenes with exact ids.

    python -m training.segmenter --run training/runs/segmenter --judge training/checkpoints/judge --minutes 30

Begins with the judge's tower and names where one is given: what is left to learn is where things end. Ends with the IoU of its masks on held-out true renders, the upper bound of every later table.
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
from training.judge import load_judge
from training.nets.judge import JudgeEncoder
from training.nets.segmenter import Segmenter
from training.text import PhraseBook
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts


@dataclass(frozen=True)
class SegmenterTraining:
    """Blur and noise make it read soft pictures as well as renders. ``others`` concepts that aren't there are asked for
    with those that are, as an artist's scene asks for few."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(rough=False, keep_segment=1.0))
    others: int = 12
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

    def __init__(self, config: SegmenterTraining, atlas: SpriteAtlas, device: torch.device,
                 judge: tuple[JudgeEncoder, Tensor] | None = None) -> None:
        self.config, self.atlas, self.device = config, atlas, device
        module = Segmenter(len(concepts()))
        if judge is not None:
            module.begin_with(*judge)
        self.module: nn.Module = module.to(memory_format=torch.channels_last)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        first, count = share(step, batch_size, machine.rank, machine.world)
        batch = scene_batch(self.atlas, c.world, c.seed, first, count).to(self.device)
        x = batch.images
        soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
        mix = (torch.rand(count, 1, 1, 1) < c.blur).float().to(self.device) * torch.rand(count, 1, 1, 1).to(self.device)
        x = x * (1 - mix) + soft * mix + torch.randn_like(x) * (torch.rand(count, 1, 1, 1).to(self.device) * c.noise)
        target = class_map(batch)
        asked = torch.zeros((count, len(concepts()) + 1), dtype=torch.bool, device=self.device)
        # the same for the whole batch: a logit of every concept at every pixel would cost more than the network
        asked[:, torch.randint(1, len(concepts()) + 1, (c.others,), device=self.device)] = True
        asked.scatter_(1, target.flatten(1), True)
        asked[:, 0] = True
        rows = asked.any(0).nonzero()[:, 0]
        with machine.autocast():
            logits = self.module.logits(x.contiguous(memory_format=torch.channels_last), rows[1:] - 1).float()
        logits = logits.masked_fill(~asked[:, rows, None, None], -1e4)
        place = torch.searchsorted(rows, target)
        weight = torch.ones(len(rows), device=self.device)
        weight[0] = 0.5
        loss = F.cross_entropy(logits, place, weight=weight)
        thing = place > 0
        right = (logits.argmax(1) == place)
        return loss, {"right_pixels": float(right.float().mean()),
                      "right_in_things": float(right[thing].float().mean()) if thing.any() else 1.0}

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
    parser.add_argument("--judge", type=Path, help="a finished training.judge run to begin with")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 32, "rate": 2e-3, "decay_from": 0.2, "ema": 0.99})
    judge = None
    if args.judge is not None:
        known = load_judge(args.judge)
        with torch.no_grad():
            judge = (known.image, known.text(PhraseBook.load(args.world)([c.label for c in concepts()])))
    stage = SegmenterStage(from_file(SegmenterTraining, args.config, "segmenter"), SpriteAtlas.load(args.world),
                           machine.device, judge)
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        figures = stage.evaluate(module)
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
