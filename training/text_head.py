"""Trains CLIP's text head further on a finished image tower, so that words never trained find their thing.

    python -m training.text_head --run training/runs/text-head --init-from PACK --minutes 5

Pictures are embedded once into a bank. A text has to find its picture in the batch, and its concept among all: a tag
that several concepts share stands for all of them. Noise on the sentence embeddings makes the head smooth, so that a
synonym that was never trained lands where its neighbours do. Every n-th tag is left out and asked for at the end
(``figures.json``).
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

from training.clip import known_tags
from training.common.checkpoint import save_half
from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.machine import Machine
from training.conditioning import shake
from training.decoder import load_encoder
from training.nets.clip import ImageEncoder, TextHead
from training.prior import embedded, load_head, told_things
from training.text import PhraseBook, said, with_article
from training.world.scene import Scene, SceneOptions
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts


@dataclass(frozen=True)
class TextHeadTraining:
    """``synonyms`` is the share of plain crops that are called by a tag; every ``hold_out``-th tag is never used.
    ``spoken`` is the share of names and tags written as artists do ("a crab", "the crab")."""

    world: SceneOptions = field(default_factory=lambda: SceneOptions(keep_segment=1.0))
    scenes: int = 4000
    synonyms: float = 0.5
    spoken: float = 0.5
    hold_out: int = 12
    noise: float = 0.5
    seed: int = 1


@dataclass
class Bank:
    """Unit image embeddings [n, 256]; ``concept`` -1 is a whole scene; ``coloured`` crops are called by a colour too."""

    images: Tensor
    concept: np.ndarray
    texts: list[str]
    coloured: np.ndarray


@torch.no_grad()
def build(config: TextHeadTraining, atlas: SpriteAtlas, encoder: ImageEncoder) -> Bank:
    """Embeds all crops and scenes; every other scene is called by its setting alone."""
    images: list[Tensor] = []
    concept: list[int] = []
    texts: list[str] = []
    coloured: list[bool] = []
    for batch, embeddings in embedded(config.world, atlas, encoder, 0, config.scenes):
        segments, kept = told_things(batch)
        images.append(embeddings[kept])
        concept += [s.concept for s in segments]
        texts += [s.label for s in segments]
        coloured += [s.colour is not None for s in segments]
        concept += [-1] * len(batch.scenes)
        texts += [whole(scene, i) for i, scene in enumerate(batch.scenes)]
        coloured += [False] * len(batch.scenes)
    return Bank(torch.cat(images), np.array(concept), texts, np.array(coloured))


def whole(scene: Scene, index: int) -> str:
    """What a scene is called."""
    return scene.caption if index % 2 and scene.segments else scene.setting


def meanings(hold_out: int) -> dict[str, list[int]]:
    """Every name and trained tag -> the concepts that it can stand for."""
    out: dict[str, list[int]] = {}
    for i, concept in enumerate(concepts()):
        for word in (concept.label, *known_tags(i, hold_out)):
            out.setdefault(word, []).append(i)
    return out


class TextHeadModule(nn.Module):
    """The head and the two temperatures."""

    def __init__(self) -> None:
        super().__init__()
        self.head = TextHead(dropout=0.2)
        self.scale = nn.Parameter(torch.tensor(math.log(20.0)))


class TextHeadStage:
    """See ``training.common.loop.Stage``."""

    name = "text-head"

    def __init__(self, config: TextHeadTraining, bank: Bank, book: PhraseBook, device: torch.device) -> None:
        self.config, self.bank, self.book, self.device = config, bank, book, device
        self.module: nn.Module = TextHeadModule()
        plain = ~bank.coloured
        self.prototypes = F.normalize(torch.stack([
            bank.images[torch.from_numpy((bank.concept == i) & plain)].sum(0) for i in range(len(concepts()))]), dim=1, eps=1e-6).to(device)
        self.meanings = meanings(config.hold_out)
        self.words = list(self.meanings)

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c, bank = self.config, self.bank
        rng = np.random.default_rng([c.seed, step, machine.rank])
        chosen = rng.integers(len(bank.texts), size=batch_size // machine.world)
        texts = []
        for i in chosen:
            concept = int(bank.concept[i])
            tags = known_tags(concept, c.hold_out) if concept >= 0 and not bank.coloured[i] else ()
            texts.append(tags[int(rng.integers(len(tags)))] if tags and rng.random() < c.synonyms else bank.texts[i])
        asked = [self.words[int(k)] for k in rng.integers(len(self.words), size=len(texts))]
        written = [text if bank.concept[i] < 0 else said(text, c.spoken, rng) for i, text in zip(chosen, texts, strict=True)]
        sentences = shake(self.book(written + [said(word, c.spoken, rng) for word in asked]).to(self.device), c.noise, 0.6)
        words = self.module.head(sentences)
        scale = self.module.scale.exp().clamp(max=60)
        pairs = scale * words[: len(texts)] @ bank.images[torch.from_numpy(chosen)].to(self.device).T
        named = np.array(texts)
        concept = bank.concept[chosen]
        same = (named[:, None] == named[None]) | ((concept[:, None] == concept[None]) & (concept[:, None] >= 0))
        np.fill_diagonal(same, False)
        pairs = pairs.masked_fill(torch.from_numpy(same).to(self.device), -1e4)
        target = torch.arange(len(texts), device=self.device)
        loss = (F.cross_entropy(pairs, target) + F.cross_entropy(pairs.T, target)) / 2
        among = scale * words[len(texts):] @ self.prototypes.T
        soft = torch.zeros_like(among)
        for row, word in enumerate(asked):
            soft[row, self.meanings[word]] = 1 / len(self.meanings[word])
        found = -(soft * F.log_softmax(among, 1)).sum(1).mean()
        hit = soft.gather(1, among.argmax(1, keepdim=True)).gt(0).float().mean()
        return loss + found, {"pairs": float(loss.detach()), "found": float(found.detach()), "hit": float(hit),
                              "scale": float(scale.detach())}

    @torch.no_grad()
    def evaluate(self, module: nn.Module) -> dict[str, dict[str, float]]:
        """Texts find their concept among the mean pictures of all 593: names, trained tags, tags never trained."""
        every = self.config.hold_out
        tags = {w: [i for i, c in enumerate(concepts()) if w in c.tags] for c in concepts() for w in c.tags}
        used = set(self.words)
        groups = {"names": {c.label: [i] for i, c in enumerate(concepts())},
                  "names with an article": {with_article(c.label): [i] for i, c in enumerate(concepts())},
                  "trained tags": {w: o for w, o in tags.items() if w in used},
                  "held-out tags": {w: o for w, o in tags.items() if w not in used}}
        out = {}
        for name, group in groups.items() if every else []:
            words = F.normalize(module.head(self.book(list(group)).to(self.device)), dim=1)
            best = (words @ self.prototypes.T).topk(5, 1).indices.tolist()
            right = [[k in owners for k in row] for row, owners in zip(best, group.values(), strict=True)]
            out[name] = {"top1": round(float(np.mean([r[0] for r in right])), 3),
                         "top5": round(float(np.mean([any(r) for r in right])), 3), "words": len(group)}
        return out

    def sheet(self, module: nn.Module, file: Path) -> None:
        file.with_suffix(".json").write_text(json.dumps(self.evaluate(module)))


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, required=True, help="the pack whose image tower and head are used")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 256, "rate": 6e-4, "decay_from": 0.3, "ema": 0.995,
                             "weight_decay": 0.1})
    config = from_file(TextHeadTraining, args.config, "text_head")
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    encoder = load_encoder(args.init_from, None).eval().to(memory_format=torch.channels_last)
    stage = TextHeadStage(config, build(config, atlas, encoder), PhraseBook.load(args.world, args.init_from), machine.device)
    stage.module.head.load_state_dict(load_head(args.init_from, None).state_dict())
    before = stage.evaluate(stage.module.to(machine.device).eval())
    stage.module.train()
    print(json.dumps({"before": before}), flush=True)
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        save_half(module.head.state_dict(), args.run, "text")
        figures = {"before": before, "after": stage.evaluate(module)}
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
