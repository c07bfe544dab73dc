"""Trains CLIP from nothing: image tower and text head, on crops and whole scenes with their captions.

    python -m training.clip --run training/runs/clip --minutes 15

Ends with retrieval on seen words, held-out synonyms and held-out concepts in ``figures.json``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.common.checkpoint import save_half
from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.machine import Machine
from training.common.sheets import write_sheet
from training.conditioning import SceneBatch, crop_segments, scene_batch, share
from training.nets.clip import ImageEncoder, TextHead
from training.nets.judge import JudgeEncoder
from training.text import CLIP_SCENES_SEED, PhraseBook, clip_world
from training.world.scene import SceneOptions, Segment
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts, names


@dataclass(frozen=True)
class ClipTraining:
    """``tower`` is "clip" for the pack's image encoder, "judge" for the one that only scores.

    ``synonyms`` is the share of segments that are called by a tag instead of their name; ``hold_out`` leaves every
    n-th concept, and every n-th tag of the others, for testing (0: leaves nothing out). ``vocabulary`` weighs finding
    a crop's concept among the names of all: a batch alone holds few that are easily mistaken for each other.
    ``captions`` is the share of scenes called by their whole caption, the others by their setting: a caption that was
    not prepared costs a run of the sentence encoder.
    """

    tower: str = "clip"
    world: SceneOptions = field(default_factory=clip_world)
    scenes: int = 6000
    synonyms: float = 0.3
    hold_out: int = 0
    embedding: int = 256
    flip: bool = False
    jitter: float = 0.0
    vocabulary: float = 0.0
    captions: float = 1.0
    seed: int = 1


def held_out_concepts(every: int) -> set[int]:
    """Concepts that training never sees."""
    return {i for i in range(len(concepts())) if every and i % every == every // 2}


def known_tags(concept: int, every: int) -> tuple[str, ...]:
    """Synonyms of a concept that training may use: not those held out, nor another concept's name ("cat" is a tag of
    the tiger, but who writes "cat" means the cat)."""
    tags = concepts()[concept].tags
    return tuple(t for k, t in enumerate(tags) if t not in names() and (not every or (k + concept) % every != every // 2))


class ClipModule(nn.Module):
    """Both towers and the logit scale."""

    def __init__(self, config: ClipTraining) -> None:
        super().__init__()
        self.image: nn.Module = (JudgeEncoder(config.embedding) if config.tower == "judge"
                                 else ImageEncoder(embedding=config.embedding, norm=True))
        self.text = TextHead(embedding=config.embedding)
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))


def judge_world() -> SceneOptions:
    """What the judge is asked about: things in the style that the decoder draws, crowded scenes among them."""
    return SceneOptions(counts=(0.15, 0.2, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05), keep_segment=1.0, smallest=0.15)


def contradict(a: Segment, b: Segment) -> bool:
    """Whether two things of one concept are called by different colours."""
    return a.colour is not None and b.colour is not None and a.colour != b.colour


class ClipStage:
    """See ``training.common.loop.Stage``."""

    def __init__(self, config: ClipTraining, atlas: SpriteAtlas, book: PhraseBook, device: torch.device) -> None:
        self.config = config
        self.name = config.tower
        self.atlas = atlas
        self.book = book
        self.device = device
        self.module: nn.Module = ClipModule(config).to(memory_format=torch.channels_last)
        self.world = config.world
        self.names = book([c.label for c in concepts()]) if config.vocabulary else torch.zeros(0)
        held = held_out_concepts(config.hold_out)
        if held:
            kept = tuple(i for i in range(len(concepts())) if i not in held)
            self.world = SceneOptions(**{**config.world.__dict__, "concept_ids": kept})

    def call(self, segment: Segment, rng: np.random.Generator) -> str:
        """What a segment is called this time."""
        tags = known_tags(segment.concept, self.config.hold_out)
        if tags and rng.random() < self.config.synonyms:
            return tags[int(rng.integers(len(tags)))]
        return segment.label

    def pictures(self, batch: SceneBatch) -> Tensor:
        """Crops of all segments, then whole scenes: [n + b, 3, 64, 64]."""
        both = torch.cat([crop_segments(batch.images, batch.labels, batch.boxes, batch.owner), batch.images])
        if self.config.flip:
            both = torch.where(torch.rand(both.shape[0], 1, 1, 1, device=both.device) < 0.5, both.flip(3), both)
        if self.config.jitter:
            factor = 1 + (torch.rand(both.shape[0], 1, 1, 1, device=both.device) * 2 - 1) * self.config.jitter
            both = ((both + 1) * factor - 1).clamp(-1, 1)
        return both.contiguous(memory_format=torch.channels_last)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        first, count = share(step, batch_size, machine.rank, machine.world)
        index = first % max(self.config.scenes - count, 1)
        batch = scene_batch(self.atlas, self.world, CLIP_SCENES_SEED, index, count).to(self.device)
        rng = np.random.default_rng([self.config.seed, step, machine.rank])
        segments = [s for scene in batch.scenes for s in scene.segments]
        texts = [self.call(s, rng) for s in segments]
        texts += [scene.caption if rng.random() < self.config.captions else scene.setting for scene in batch.scenes]
        with machine.autocast():
            images = self.module.image(self.pictures(batch))
            words = self.module.text(self.book(texts).to(self.device))
        logits = images.float() @ words.float().T * self.module.scale.exp().clamp(max=100)
        logits = logits.masked_fill(same_thing(segments, texts).to(self.device), -1e4)
        target = torch.arange(len(texts), device=self.device)
        loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
        named = {}
        if self.config.vocabulary and segments:
            names = self.module.text(self.names.to(self.device)).float()
            among = images[: len(segments)].float() @ names.T * self.module.scale.exp().clamp(max=100)
            concept = torch.tensor([s.concept for s in segments], device=self.device)
            loss = loss + self.config.vocabulary * F.cross_entropy(among, concept, label_smoothing=0.05)
            named = {"named": float((among.argmax(1) == concept).float().mean())}
        own = (logits[: len(segments)].argmax(1) == target[: len(segments)]).float().mean()
        return loss, {"own_caption": float(own), "scale": float(self.module.scale.exp().detach()), **named}

    def sheet(self, module: nn.Module, file: Path) -> None:
        batch = scene_batch(self.atlas, self.world, 98, 0, 8)
        write_sheet(file, [batch.images], batch.labels)


def same_thing(segments: list[Segment], texts: list[str]) -> Tensor:
    """Pairs [n, n] bool that are not negatives: the same words, or one concept without contradicting colours."""
    n = len(texts)
    out = np.zeros((n, n), bool)
    ids = {t: i for i, t in enumerate(dict.fromkeys(texts))}
    words = np.array([ids[t] for t in texts])
    out |= words[:, None] == words[None]
    for i, a in enumerate(segments):
        for j, b in enumerate(segments[:i]):
            if a.concept == b.concept and not contradict(a, b):
                out[i, j] = out[j, i] = True
    np.fill_diagonal(out, False)
    return torch.from_numpy(out)


@torch.no_grad()
def retrieval(module: nn.Module, stage: ClipStage, ids: list[int], texts: list[str], against: list[str], owner: list[int],
              seed: int = 777, views: int = 2) -> dict[str, float]:
    """Crops of concepts ``ids`` find one of their words among ``against`` (``owner`` says whose word each is)."""
    device = stage.device
    bank = F.normalize(module.text(stage.book(against).to(device)).float(), dim=1)
    options = SceneOptions(**{**stage.config.world.__dict__, "counts": (1.0,), "recolour": 0.0, "empty": 0.0})
    hits1 = hits5 = total = 0
    for i in ids:
        one = SceneOptions(**{**options.__dict__, "concept_ids": (i,)})
        batch = scene_batch(stage.atlas, one, seed + i, 0, views).to(device)
        if batch.owner.shape[0] == 0:
            continue
        crops = crop_segments(batch.images, batch.labels, batch.boxes, batch.owner)
        best = (module.image(crops).float() @ bank.T).topk(min(5, len(against)), 1).indices
        right = torch.tensor(owner, device=device)[best] == i
        hits1 += int(right[:, 0].sum())
        hits5 += int(right.any(1).sum())
        total += right.shape[0]
    return {"top1": round(hits1 / max(total, 1), 3), "top5": round(hits5 / max(total, 1), 3), "crops": total,
            "words": len(texts)}


def evaluate(module: nn.Module, stage: ClipStage) -> dict[str, dict[str, float]]:
    """Retrieval among the names of all concepts: seen words, synonyms never used in training, concepts never seen."""
    every, names = stage.config.hold_out, [c.label for c in concepts()]
    held = held_out_concepts(every)
    seen = [i for i in range(len(names)) if i not in held]
    everyone = list(range(len(names)))
    out = {"seen words": retrieval(module, stage, seen, names, names, everyone)}
    if every:
        out["held-out concepts"] = retrieval(module, stage, sorted(held), names, names, everyone)
        tags = {i: [t for t in concepts()[i].tags if t not in known_tags(i, every)] for i in seen}
        with_tag = [i for i in seen if tags[i]]
        words = [tags[i][0] if i in with_tag else names[i] for i in everyone]
        out["held-out synonyms"] = retrieval(module, stage, with_tag, words, words, everyone)
    return out


def export_towers(module: nn.Module, folder: Path) -> None:
    """Half-precision towers beside the run; the pack's image tower without batch normalisation."""
    image = module.image.fold() if isinstance(module.image, ImageEncoder) else module.image
    save_half(image.state_dict(), folder, "image")
    save_half(module.text.state_dict(), folder, "text")


def main(tower: str = "clip", description: str | None = __doc__) -> None:
    parser = arguments(description)
    parser.add_argument("--encoder", type=Path, help="pack or MiniLM folder, for captions that were not prepared")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 128, "rate": 1.5e-3, "decay_from": 0.2, "ema": 0.995,
                             "weight_decay": 0.05})
    config = from_file(ClipTraining, args.config, tower)
    if args.config is None:
        config = ClipTraining(tower=tower, **({"flip": True, "jitter": 0.2, "seed": 7, "embedding": 192,
                                                "vocabulary": 2.0, "captions": 0.2, "world": judge_world(), "scenes": 1_000_000}
                                              if tower == "judge" else {}))
    stage = ClipStage(config, SpriteAtlas.load(args.world), PhraseBook.load(args.world, args.encoder), machine.device)
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        export_towers(module, args.run)
        figures = evaluate(module, stage)
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
