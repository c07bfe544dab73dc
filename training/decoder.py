"""Trains the 64 px decoder on illustrated scenes.

    python -m training.decoder --run training/runs/decoder --init-from PACK --minutes 60 [--device cuda]

The image tower of CLIP comes from PACK too, or from ``--clip FOLDER`` (a finished training.clip run).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.loop import arguments, begin, from_file, train
from training.common.losses import map_distance
from training.common.machine import Machine
from training.common.pack_weights import load_network, load_projector
from training.common.sheets import write_sheet
from training.conditioning import (
    SceneBatch, collate, contours_of, crop_segments, gather_embeddings, pixels_of, segment_masks, shake, share,
)
from training.diffusion import CosineSchedule, sample_ddim
from training.nets.clip import ImageEncoder
from training.nets.drawing import SketchConfig
from training.nets.sketch import CHANNELS, Sketch, frame_masks, paste
from training.nets.unet import Decoder, DecoderConfig, STProjector, anchor
from training.world.coco import PanopticFolder
from training.world.scene import SceneOptions
from training.world.source import SceneSource
from training.world.sprites import SpriteAtlas

Embedded = tuple[Tensor, Tensor]
CLEAR_ENOUGH = 0.15
"""Below this cumulative alpha a predicted picture is too vague for its features to mean anything."""


@dataclass(frozen=True)
class DecoderTraining:
    """What the decoder learns from. ``inside`` weighs the loss inside segments; ``perceptual`` weighs the distance
    of CLIP features of every segment's crop, true against predicted, which keeps the insides of objects crisp; on slow
    machines only every ``perceptual_every`` steps. ``reuse`` uses a batch of scenes for that many steps, with other
    noise, times and dropped conditions: drawing and embedding them costs a CPU some tenth of a step. In a share
    ``partial`` of the scenes that have their map, the scene's embedding is that of the backdrop, where ``world`` keeps
    one: global texts name the setting and seldom every segment."""

    net: DecoderConfig = field(default_factory=DecoderConfig)
    world: SceneOptions = field(default_factory=SceneOptions)
    inside: float = 3.0
    perceptual: float = 0.03
    drop_scene: float = 0.1
    drop_st: float = 0.1
    segment_noise: float = 0.5
    scene_noise: float = 0.6
    scene_mix: float = 0.06
    partial: float = 0.5
    middle_times: float = 0.5
    perceptual_every: int = 1
    reuse: int = 1
    sketch: SketchConfig = field(default_factory=SketchConfig)
    seed: int = 1


class DecoderModule(nn.Module):
    """Decoder and projector, trained together."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.unet = Decoder(config)
        self.projector = STProjector(config)


@dataclass
class Told:
    """A batch of scenes with what the decoder is told of it."""

    batch: SceneBatch
    backdrop: Tensor
    scene: Tensor
    segments: Tensor
    features: list[Tensor]


def feature_distance(encoder: ImageEncoder, made: Tensor, targets: list[Tensor]) -> Tensor:
    """Distance of normalised feature maps (as LPIPS does) of crops [n, 3, 64, 64] to those of the true crops: [n]."""
    return map_distance(encoder.features(made.contiguous(memory_format=torch.channels_last))[: len(targets)], targets)


class DecoderStage:
    """See ``training.common.loop.Stage``."""

    name = "decoder"

    def __init__(self, config: DecoderTraining, atlas: SpriteAtlas, encoder: ImageEncoder, device: torch.device,
                 workers: int = 0, folder: PanopticFolder | None = None, sketch: Path | None = None) -> None:
        self.config = config
        self.told: tuple[int, Told] | None = None
        self.sketch_run, self.sketch_file = sketch, ""
        self.sketch = Sketch(config.sketch).requires_grad_(False).eval().to(device, memory_format=torch.channels_last)
        self.refresh_sketch()
        self.source = SceneSource(atlas, config.world, config.seed, workers)
        self.folder = folder
        self.encoder = encoder.requires_grad_(False).eval().to(device, memory_format=torch.channels_last)
        self.module: nn.Module = DecoderModule(config.net).to(memory_format=torch.channels_last)
        self.schedule = CosineSchedule(device=device)
        self.device = device
        self.most = len(config.world.counts)
        self.show = SceneSource(atlas, config.world, 99).get(0, 16).to(device)

    @torch.no_grad()
    def embed_all(self, batch: SceneBatch) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Unit-length embeddings of scenes [b, 256] and segments [n, 256], and the segments' first four feature maps."""
        crops = crop_segments(batch.images, batch.labels, batch.boxes, batch.owner)
        maps = self.encoder.features(torch.cat([batch.images, crops]).contiguous(memory_format=torch.channels_last))
        both, b = self.encoder.head(maps[-1]).float(), batch.images.shape[0]
        return both[:b], both[b:], [m[b:] for m in maps[:4]]

    @torch.no_grad()
    def embed_backdrops(self, batch: SceneBatch) -> Tensor:
        """Unit-length embeddings [b, 256] of the scenes without some of their things; see ``Scene.backdrop``."""
        images = pixels_of([s.image if s.backdrop is None else s.backdrop for s in batch.scenes]).to(self.device)
        return self.encoder(images.contiguous(memory_format=torch.channels_last)).float()

    def refresh_sketch(self) -> None:
        """Takes over the sketch's newest weights: its run may go on beside this one."""
        if self.sketch_run is None:
            return
        file = self.sketch_run / "weights-0.npz"
        if not file.is_file():
            raise TrainingError(f"{self.sketch_run} holds no weights yet", "wait for the sketch's first checkpoint")
        newest = str(file.stat().st_mtime_ns)
        if newest != self.sketch_file:
            self.sketch.load_state_dict(load_half(self.sketch_run, "weights"))
            self.sketch_file = newest

    @torch.no_grad()
    def sketch_map(self, batch: SceneBatch, segments: Tensor) -> Tensor | None:
        """The sketches of segments with embeddings ``segments`` [n, 256], pasted: [b, 5, 64, 64]."""
        if not self.config.net.sketch:
            return None
        drawn = self.sketch(segments, frame_masks(batch.labels, batch.boxes, batch.owner))
        return paste(drawn, batch.labels, batch.boxes, batch.owner)

    def embed(self, batch: SceneBatch) -> Embedded:
        """Unit-length embeddings of scenes [b, 256] and segments [n, 256]."""
        return self.embed_all(batch)[:2]

    def times(self, count: int) -> Tensor:
        """Timesteps: a share around the middle, where an object's inside is decided, the rest uniform."""
        uniform = torch.rand(count)
        middle = torch.stack([torch.rand(count), torch.rand(count), torch.rand(count)]).median(0).values
        t = torch.where(torch.rand(count) < self.config.middle_times, middle, uniform)
        return (t * 1000).long().clamp(0, 999).to(self.device)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c, unet = self.config, self.module
        if self.told is None or self.told[0] != step // c.reuse:
            first, count = share(step // c.reuse, batch_size, machine.rank, machine.world)
            if self.folder is not None:
                batch = collate(self.folder.scenes(c.seed, first, count)).to(self.device)
            else:
                batch = self.source.get(first, count, batch_size).to(self.device)
            embedded = self.embed_all(batch)
            self.told = (step // c.reuse, Told(batch, self.embed_backdrops(batch) if c.world.backdrop else embedded[0], *embedded))
            if step % 200 < c.reuse:
                self.refresh_sketch()
        told = self.told[1]
        batch, scene, segments, features = told.batch, told.scene, told.segments, told.features
        count = scene.shape[0]
        with_st = torch.rand(count, 1, 1, 1, device=self.device) >= c.drop_st
        if c.world.backdrop:
            partial = with_st[:, :, 0, 0] & (torch.rand(count, 1, device=self.device) < c.partial)
            scene = torch.where(partial, told.backdrop, scene)
        scene, segments = shake(scene, c.scene_noise, 0.5), shake(segments, c.segment_noise, 0.5)
        mixed = F.normalize(scene + scene.roll(1, 0) * torch.rand(count, 1, device=self.device), dim=1)
        scene = torch.where(torch.rand(count, 1, device=self.device) < c.scene_mix, mixed, scene)
        scene = scene * (torch.rand(count, 1, device=self.device) >= c.drop_scene)
        with_st = with_st.float()
        masks = segment_masks(batch.labels, self.most)
        embeds = gather_embeddings(segments, batch.owner, count, self.most)
        contours = contours_of(batch.labels) * with_st if c.net.contour else None
        sketch = self.sketch_map(batch, segments)
        sketch = None if sketch is None else (sketch * with_st).contiguous(memory_format=torch.channels_last)
        t = self.times(count)
        a, s = self.schedule.parts(t, 4)
        noise = torch.randn_like(batch.images)
        x = (a * batch.images + s * noise).contiguous(memory_format=torch.channels_last)
        with machine.autocast():
            st = unet.projector.from_segments(embeds, masks * with_st, contours, sketch)
            v = unet.unet(x, t, scene, st).float()
        if sketch is not None:
            v = anchor(v, x, t, sketch.float())
        error = (v - (a * noise - s * batch.images)).square().mean(1)
        inside = (batch.exact > 0).float()
        weight = 1 + (c.inside - 1) * inside
        per_picture = (error * weight).sum((1, 2)) / weight.sum((1, 2))
        loss = (per_picture * self.schedule.min_snr_weight(t)).mean()
        figures = {"v_error": float(error.mean().detach()),
                   "inside_error": float(((error * inside).sum() / inside.sum().clamp(min=1)).detach())}
        strength = self.schedule.alphas[t][batch.owner[:, 0]]
        clear = torch.nonzero(strength > CLEAR_ENOUGH)[:, 0]
        if c.perceptual and clear.numel() and step % c.perceptual_every == 0:
            with machine.autocast():
                made = crop_segments(a * x - s * v, batch.labels, batch.boxes[clear], batch.owner[clear])
                distance = feature_distance(self.encoder, made, [f[clear] for f in features])
            feature = (distance * strength[clear]).sum() / strength[clear].sum()
            loss = loss + c.perceptual * c.perceptual_every * feature
            figures["feature"] = float(feature.detach())
        return loss, figures

    def st_of(self, module: nn.Module, batch: SceneBatch, segments: Tensor, most: int, sketch: Tensor | None = None) -> list[Tensor]:
        """The projected map of a batch whose segments have embeddings ``segments`` [n, 256], and their sketch map where
        it is known already."""
        embeds = gather_embeddings(segments, batch.owner, batch.labels.shape[0], most)
        contours = contours_of(batch.labels) if self.config.net.contour else None
        return module.projector.from_segments(embeds, segment_masks(batch.labels, most), contours,
                                              self.sketch_map(batch, segments) if sketch is None else sketch)

    @torch.no_grad()
    def draw(self, module: nn.Module, batch: SceneBatch, embedded: Embedded, scales: tuple[float, float] = (1.5, 3.0),
             steps: int = 20, seed: int = 0) -> Tensor:
        """Pictures [b, 3, 64, 64] of a batch's layout under multi-scale guidance."""
        scene, segments = embedded
        b = scene.shape[0]
        st = self.st_of(module, batch, segments, max(self.most, int(batch.labels.max())))
        none = [torch.zeros_like(m) for m in st]
        triple = [torch.cat([z, z, m]) for z, m in zip(none, st, strict=True)]
        scenes = torch.cat([scene * 0, scene, scene * 0])

        def guided(x: Tensor, t: Tensor) -> Tensor:
            free, whole, local = module.unet(x.repeat(3, 1, 1, 1), t.repeat(3), scenes, triple).chunk(3)
            v = free + scales[0] * (whole - free) + scales[1] * (local - free)
            return v if not self.config.net.sketch else anchor(v, x, t, st[0][:, -CHANNELS:], scales[1])

        noise = torch.randn(b, 3, 64, 64, generator=torch.Generator().manual_seed(seed)).to(self.device)
        return sample_ddim(self.schedule, guided, noise, steps)

    def sheet(self, module: nn.Module, file: Path) -> None:
        made = self.draw(module, self.show, self.embed(self.show))
        write_sheet(file, [self.show.images, made], self.show.labels)


def load_encoder(pack: Path | None, clip: Path | None) -> ImageEncoder:
    """The image tower of a pack or of a finished CLIP run."""
    encoder = ImageEncoder()
    if clip is not None:
        encoder.load_state_dict(load_half(clip, "image"))
    elif pack is not None:
        load_network(pack, "image_encoder", encoder)
    else:
        raise TrainingError("the decoder needs an image tower", "give --clip FOLDER or --init-from PACK")
    return encoder


def pack_has_sketch(pack: Path | None) -> bool:
    return pack is not None and (pack / "sketch.onnx").is_file()


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="a pack folder to start from")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw scenes ahead (one a core beside a GPU)")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network: worth it for long runs and GPUs")
    parser.add_argument("--coco", type=Path, nargs=3, metavar=("IMAGES", "JSON", "PNGS"), help="COCO-panoptic folder")
    parser.add_argument("--from", dest="start", type=Path, help="another decoder run whose weights to begin with")
    parser.add_argument("--sketch", type=Path, help="a training.sketch run, finished or going on")
    args = parser.parse_args()
    loop, machine = begin(args)
    config = from_file(DecoderTraining, args.config, "decoder")
    given = args.sketch is not None or pack_has_sketch(args.init_from)
    if config.net.sketch and not given or args.sketch is not None and not config.net.sketch:
        raise TrainingError("a decoder with a sketch needs the run of one, and one without takes none",
                            "give --sketch RUN together with a configuration whose net has sketch 5, or neither")
    if pack_has_sketch(args.init_from) and not config.net.sketch:
        raise TrainingError(f"{args.init_from} draws sketches, and this configuration would train its decoder without them",
                            "take a configuration whose net has sketch 5, such as training/configs/decoder-sketch.json")
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    folder = PanopticFolder(*args.coco, most=len(config.world.counts)) if args.coco else None
    stage = DecoderStage(config, atlas, load_encoder(args.init_from, args.clip), machine.device, args.workers, folder, args.sketch)
    if args.compile:
        stage.module.unet.compile()
    if args.init_from is not None:
        load_network(args.init_from, "unet", stage.module.unet, fresh=("sketch_in.", "short."))
        load_projector(args.init_from, stage.module.projector)
        if args.sketch is None and config.net.sketch:
            load_network(args.init_from, "sketch", stage.sketch)
    if args.start is not None:
        found = stage.module.load_state_dict(load_half(args.start, "weights"), strict=False)
        print(f"begun from {args.start}; fresh: {', '.join(found.missing_keys) or 'nothing'}")
    train(stage, loop, machine, args.run, args.steps)
    stage.source.close()


if __name__ == "__main__":
    main()
