"""Trains the sketch: from a segment's image embedding and shape to a small picture of it.

    python -m training.sketch --run training/runs/sketch --drawing training/runs/drawing --init-from PACK --minutes 30

The target is the segment's own crop, so no caption is needed: the trick of the paper once more. Besides colours inside
the mask it learns where the thing itself is (rough masks hold some of the surroundings too), and the sketch must look
to CLIP's image tower like the crop. What the thing looks like by itself is the drawing's, which stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.losses import map_distance
from training.common.machine import Machine
from training.common.pack_weights import load_network
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, crop_exact, crop_segments, share, shake
from training.decoder import load_encoder
from training.nets.clip import ImageEncoder
from training.nets.drawing import SketchConfig
from training.nets.sketch import Sketch, frame_masks
from training.world.scene import SceneOptions
from training.world.source import SceneSource
from training.world.sprites import SpriteAtlas


def sketch_world() -> SceneOptions:
    """Few and rather large things, since most of what a sketch can learn is in large crops; mostly in rough shapes, as
    artists draw them: that there is a crab in a circle only the sketch can tell."""
    return SceneOptions(exact=0.25, loose=0.3, counts=(0.45, 0.3, 0.15, 0.1), empty=0.0, smallest=0.28, keep_segment=1.0)


@dataclass(frozen=True)
class SketchTraining:
    """``perceptual`` and ``same`` weigh the distance of CLIP features, and of the embedding, to the crop's.

    ``neat`` is the share of segments whose embedding is that of the thing cut out exactly, while shape and target stay
    rough: what the prior makes of a word knows nothing of the circle that the artist drew around it.
    """

    net: SketchConfig = field(default_factory=SketchConfig)
    world: SceneOptions = field(default_factory=sketch_world)
    perceptual: float = 0.05
    same: float = 0.3
    noise: float = 0.4
    neat: float = 0.6
    seed: int = 3


def nearer_way(made: Tensor, target: Tensor, masks: Tensor, exact: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Losses of colour and of the thing's place against the crop or the crop mirrored, whichever is nearer to what was
    drawn, and which it was [n]. An embedding doesn't know which way a thing faces, nor does a circle: without the
    choice a sketch is the mean of both ways, a blot. In a shape that tells the way the mirrored crop is the farther."""
    def losses(target: Tensor, exact: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight = masks * (0.3 + exact)
        apart = ((made[:, :3] - target).abs().mean(1, keepdim=True) * weight).sum((1, 2, 3))
        part = F.binary_cross_entropy_with_logits(made[:, 3:4] * 4, exact, reduction="none").mean((1, 2, 3))
        return apart, part, weight.sum((1, 2, 3))

    one, two = losses(target, exact), losses(target.flip(3), exact.flip(3))
    score = [(apart / weight.clamp(min=1) + 0.1 * part).detach() for apart, part, weight in (one, two)]
    mirrored = score[1] < score[0]
    apart, part, weight = (torch.where(mirrored, b, a) for a, b in zip(one, two, strict=True))
    return apart.sum() / weight.sum().clamp(min=1), part.mean(), mirrored


class SketchStage:
    """See ``training.common.loop.Stage``."""

    name = "sketch"

    def __init__(self, config: SketchTraining, atlas: SpriteAtlas, encoder: ImageEncoder, device: torch.device,
                 workers: int = 0, drawing: dict[str, Tensor] | None = None) -> None:
        self.config = config
        self.source = SceneSource(atlas, config.world, config.seed, workers)
        self.encoder = encoder.requires_grad_(False).eval().to(device, memory_format=torch.channels_last)
        sketch = Sketch(config.net)
        if drawing is not None:
            sketch.drawing.load_state_dict(drawing)
        sketch.drawing.requires_grad_(False)
        self.module: nn.Module = sketch.to(memory_format=torch.channels_last)
        self.device = device
        self.show = SceneSource(atlas, config.world, 97).get(0, 16).to(device)

    @torch.no_grad()
    def look(self, batch: SceneBatch) -> tuple[Tensor, list[Tensor], Tensor]:
        """Crops [n, 3, 64, 64], the image tower's first four maps of them, and their embeddings [n, 256]."""
        crops = crop_segments(batch.images, batch.labels, batch.boxes, batch.owner)
        maps = self.encoder.features(crops.contiguous(memory_format=torch.channels_last))
        return crops, maps[:4], self.encoder.head(maps[-1]).float()

    @torch.no_grad()
    def embed_exact(self, batch: SceneBatch) -> Tensor:
        """Embeddings [n, 256] of the segments' things, cut out by their exact masks."""
        return self.encoder(crop_exact(batch).contiguous(memory_format=torch.channels_last)).float()

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        first, count = share(step, batch_size, machine.rank, machine.world)
        batch = self.source.get(first, count, batch_size).to(self.device)
        crops, maps, embeddings = self.look(batch)
        masks = frame_masks(batch.labels, batch.boxes, batch.owner)
        exact = frame_masks(batch.exact, batch.boxes, batch.owner)
        given = embeddings
        if c.neat:
            neat = self.embed_exact(batch)
            given = torch.where(torch.rand(len(neat), 1, device=self.device) < c.neat, neat, embeddings)
        with machine.autocast():
            made = self.module.raw(shake(given, c.noise, 0.5), masks).float()
        target = F.avg_pool2d(crops, 2)
        colour, part, mirrored = nearer_way(made, target, masks, exact)
        pasted = F.interpolate((made[:, :3].clamp(-1.2, 1.2) + 1) * masks, size=64, mode="bilinear") - 1
        pasted = torch.where(mirrored[:, None, None, None], pasted.flip(3), pasted)
        seen = self.encoder.features(pasted.contiguous(memory_format=torch.channels_last))
        feature = map_distance(seen[:4], maps).mean()
        same = (self.encoder.head(seen[-1]).float() * embeddings).sum(1).mean()
        loss = colour + 0.1 * part + c.perceptual * feature + c.same * (1 - same)
        return loss, {"colour": float(colour.detach()), "part": float(part.detach()), "feature": float(feature.detach()),
                      "same": float(same.detach())}

    @torch.no_grad()
    def sheet(self, module: nn.Module, file: Path) -> None:
        crops, _, embeddings = self.look(self.show)
        masks = frame_masks(self.show.labels, self.show.boxes, self.show.owner)
        made = module(embeddings, masks)
        write_sheet(file, [crops[:24], (F.interpolate((made[:24, :3] + 1) * masks[:24], size=64) - 1)])


def weights_of(folder: Path) -> dict[str, Tensor]:
    """A sketch's weights, out of a run's folder or a pack's."""
    if not (folder / "pack.json").is_file():
        return load_half(folder, "weights")
    known = Sketch()
    load_network(folder, "sketch", known)
    return known.state_dict()


def drawing_of(folder: Path) -> dict[str, Tensor]:
    """The weights of the drawing in a sketch's run or a pack."""
    return {k.removeprefix("drawing."): v for k, v in weights_of(folder).items() if k.startswith("drawing.")}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="a pack folder whose image tower is used")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run")
    parser.add_argument("--drawing", type=Path, help="a finished training.drawing run; without one, the pack's drawing")
    parser.add_argument("--from", dest="start", type=Path, help="another sketch run, or a pack, whose sketch to begin with")
    parser.add_argument("--workers", type=int, default=0)
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 48, "rate": 1.2e-3, "decay_from": 0.3, "ema": 0.997})
    config = from_file(SketchTraining, args.config, "sketch")
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    if args.drawing is not None:
        drawing = load_half(args.drawing, "weights")
    elif args.init_from is not None:
        drawing = drawing_of(args.init_from)
    else:
        raise TrainingError("a sketch needs a drawing", "give --drawing RUN, or --init-from a pack that has one")
    stage = SketchStage(config, atlas, load_encoder(args.init_from, args.clip), machine.device, args.workers, drawing)
    if args.start is not None:
        weights = {k: v for k, v in weights_of(args.start).items() if not k.startswith("drawing.")}
        left = stage.module.load_state_dict(weights, strict=False)
        strange = [*left.unexpected_keys, *(k for k in left.missing_keys if not k.startswith(("drawing.", "guess")))]
        if strange:
            raise TrainingError(f"{args.start} holds another network ({strange[0]})", "give the run of a sketch of this shape")
    train(stage, loop, machine, args.run, args.steps)
    stage.source.close()


if __name__ == "__main__":
    main()
