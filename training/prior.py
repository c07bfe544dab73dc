"""Trains the diffusion prior: from text and sentence embedding to the image embedding.

    python -m training.prior --run training/runs/prior --init-from PACK --minutes 8
    python -m training.prior --run training/runs/prior --clip training/runs/clip --minutes 9

Pairs come from scenes: crops with their names, whole scenes with their captions. Embeddings of pictures are computed
once into a bank. Ends with predicted-true, text-true and shuffled cosine on held-out pairs in ``figures.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.clip import known_tags
from training.common.checkpoint import load_half, save_half
from training.common.loop import LoopConfig, arguments, begin, from_file, train
from training.common.machine import Machine
from training.common.pack_weights import load_network
from training.conditioning import SceneBatch, crop_segments, scene_batch, shake
from training.decoder import load_encoder
from training.diffusion import CosineSchedule
from training.nets.clip import ImageEncoder, TextHead
from training.nets.prior import Prior, sample_prior
from training.nets.unet import EMBEDDING_SCALE
from training.pack_description import bank_size
from training.text import BOOK_FILE, CLIP_SCENES_SEED, PhraseBook, said, whole_caption
from training.world.scene import Scene, SceneOptions, Segment
from training.world.sprites import SpriteAtlas


@dataclass(frozen=True)
class PriorTraining:
    """Only the style that the decoder draws: the prior should land on what the decoder can paint.

    ``synonyms`` is the share of plain crops called by a tag, of which every ``hold_out``-th is never used; ``spoken``
    the share of names, and ``told`` that of scenes, written as artists do; ``shake`` is the most noise on sentence
    embeddings, so that words near a trained one do what it does. ``remembered`` pictures go into the finished prior,
    which keeps guesses near them (0: none). Many scenes are empty: most global texts say a setting alone.
    """

    world: SceneOptions = field(default_factory=lambda: SceneOptions(keep_segment=1.0, empty=0.3))
    scenes: int = 8000
    held: int = 300
    synonyms: float = 0.3
    spoken: float = 0.5
    told: float = 0.6
    drop: float = 0.1
    hold_out: int = 12
    shake: float = 0.4
    remembered: int = 4096
    seed: int = 1


@dataclass
class PairBank:
    """``images`` [n, 256] unit image embeddings; ``texts`` the possible captions of each, which is a ``thing`` or a
    whole scene."""

    images: Tensor
    texts: list[list[str]]
    thing: list[bool]


@torch.no_grad()
def embedded(world: SceneOptions, atlas: SpriteAtlas, encoder: ImageEncoder, first: int, count: int) -> Iterator[tuple[SceneBatch, Tensor]]:
    """Scenes ``first`` .. ``first + count`` in batches, each with the embeddings of its crops, then of its scenes."""
    for at in range(first, first + count, 50):
        batch = scene_batch(atlas, world, CLIP_SCENES_SEED, at, min(50, first + count - at))
        crops = crop_segments(batch.images, batch.labels, batch.boxes, batch.owner)
        yield batch, encoder(torch.cat([crops, batch.images]).contiguous(memory_format=torch.channels_last)).float()


def told_things(batch: SceneBatch) -> tuple[list[Segment], Tensor]:
    """The segments of a batch whose labels say what they look like, and a mask over the rows of ``embedded`` that keeps
    these and all scenes. A thing whose hues were turned without one colour prevailing has its plain name, which would
    come to mean such colours."""
    segments = [s for scene in batch.scenes for s in scene.segments]
    told = [s.colour is not None or s.hue == 0 for s in segments]
    return [s for s, kept in zip(segments, told, strict=True) if kept], torch.tensor(told + [True] * len(batch.scenes))


def ways_to_tell(scene: Scene, rng: np.random.Generator) -> list[str]:
    """Captions that leave nothing of a scene out: first the plain form, then others."""
    things = [s.label for s in scene.segments + scene.others]
    plain = f"{' and '.join(things)}, {scene.setting}" if things else scene.setting
    return [plain, *(whole_caption(scene.setting, things, rng) for _ in range(3))]


@torch.no_grad()
def build_bank(config: PriorTraining, atlas: SpriteAtlas, encoder: ImageEncoder, first: int, count: int) -> PairBank:
    """Embeds the crops and scenes ``first`` .. ``first + count``."""
    images: list[Tensor] = []
    texts: list[list[str]] = []
    thing: list[bool] = []
    rng = np.random.default_rng([config.seed, first])
    for batch, embeddings in embedded(config.world, atlas, encoder, first, count):
        segments, kept = told_things(batch)
        images.append(embeddings[kept])
        texts += [[s.label, *([] if s.colour else known_tags(s.concept, config.hold_out))] for s in segments]
        texts += [ways_to_tell(scene, rng) for scene in batch.scenes]
        thing += [True] * len(segments) + [False] * len(batch.scenes)
    return PairBank(torch.cat(images), texts, thing)


class PriorStage:
    """See ``training.common.loop.Stage``."""

    name = "prior"

    def __init__(self, config: PriorTraining, bank: PairBank, held: PairBank, book: PhraseBook, head: TextHead,
                 device: torch.device) -> None:
        self.config, self.bank, self.held, self.book = config, bank, held, book
        self.head = head.eval().requires_grad_(False).to(device)
        self.module: nn.Module = Prior()
        self.schedule = CosineSchedule(device=device)
        self.device = device

    def loss(self, step: int, machine: Machine, batch_size: int) -> tuple[Tensor, dict[str, float]]:
        c = self.config
        rng = np.random.default_rng([c.seed, step, machine.rank])
        count = batch_size // machine.world
        chosen = rng.integers(len(self.bank.texts), size=count)
        texts = []
        for i in chosen:
            options = self.bank.texts[i]
            other = len(options) > 1 and rng.random() < (c.synonyms if self.bank.thing[i] else c.told)
            text = options[int(rng.integers(1, len(options)))] if other else options[0]
            texts.append(said(text, c.spoken, rng) if self.bank.thing[i] else text)
        sentence = shake(self.book(texts).to(self.device), c.shake, 0.5)
        with torch.no_grad():
            text = self.head(sentence)
        keep = (torch.rand(count, 1, device=self.device) >= c.drop).float()
        clean = self.bank.images[torch.from_numpy(chosen)].to(self.device) * EMBEDDING_SCALE
        t = torch.randint(0, 1000, (count,), device=self.device)
        a, s = self.schedule.parts(t, 2)
        with machine.autocast():
            made = self.module(a * clean + s * torch.randn_like(clean), t, text * keep, sentence * keep)
        loss = (made.float() - clean).square().mean()
        return loss, {"cosine": float(F.cosine_similarity(made.float(), clean).mean().detach())}

    def sheet(self, module: nn.Module, file: Path) -> None:
        file.with_suffix(".json").write_text(json.dumps(self.evaluate(module)))

    @torch.no_grad()
    def evaluate(self, module: nn.Module, guidance: tuple[float, ...] = (1.0, 2.0)) -> dict[str, float]:
        """Mean cosines on held-out pairs, plainly and with the mean image embedding removed."""
        sentence = self.book([t[0] for t in self.held.texts]).to(self.device)
        text, true = self.head(sentence), self.held.images.to(self.device)
        mean = self.bank.images.mean(0, keepdim=True).to(self.device)

        def both(a: Tensor, b: Tensor, name: str) -> dict[str, float]:
            return {name: round(float((a * b).sum(1).mean()), 4),
                    f"{name}, mean removed": round(float(F.cosine_similarity(a - mean, b - mean).mean()), 4)}

        noise = torch.randn(true.shape, generator=torch.Generator().manual_seed(5)).to(self.device)
        out = both(text, true, "text-true")
        for g in guidance:
            made = sample_prior(module, self.schedule, text, sentence, noise, guidance=g)
            out |= both(made, true, f"predicted-true, guidance {g:g}")
            if g == 1:
                out |= both(made, true.roll(7, 0), "shuffled")
        return out | {"pairs": len(self.held.texts)}


def with_bank(prior: nn.Module, images: Tensor, count: int) -> Prior:
    """The same prior, remembering ``count`` of the unit embeddings ``images`` [n, 256], evenly chosen."""
    out = Prior(bank=count).eval()
    out.load_state_dict(prior.state_dict(), strict=False)
    out.bank.data = images[torch.linspace(0, len(images) - 1, count).long()].clone()
    return out


def told_book(run: Path, world: Path, encoder: Path | None, texts: list[str], keep: bool) -> PhraseBook:
    """Sentence embeddings of all ``texts``; ``keep`` writes them into the run, so that a resumed one does not spend its
    time on them again (one process of several does)."""
    folder = run if (run / BOOK_FILE).is_file() else world
    book = PhraseBook.load(folder, encoder)
    if any(text not in book.at for text in texts):
        print("sentence embeddings of the captions, once", flush=True)
        book(texts)
        if keep:
            book.save(run)
    return book


def load_head(pack: Path | None, clip: Path | None) -> TextHead:
    """The text head of a pack, or of a finished CLIP or text head run."""
    head = TextHead()
    if clip is not None:
        head.load_state_dict(load_half(clip, "text"))
    elif pack is not None:
        load_network(pack, "text_encoder", head)
    return head


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--init-from", type=Path, help="a pack folder to start from")
    parser.add_argument("--clip", type=Path, help="a finished training.clip run")
    parser.add_argument("--text-head", type=Path, help="a finished training.text_head run, instead of the pack's head")
    parser.add_argument("--encoder", type=Path, help="pack or MiniLM folder, for captions that were not prepared")
    args = parser.parse_args()
    loop, machine = begin(args)
    if args.config is None:
        loop = LoopConfig(**{**loop.__dict__, "batch": args.batch or 512, "rate": 5e-4 if args.init_from else 1e-3,
                             "decay_from": 0.2})
    config = from_file(PriorTraining, args.config, "prior")
    atlas = SpriteAtlas.load(args.world, ("fluent-emoji-flat",))
    encoder = load_encoder(args.init_from, args.clip).eval().to(memory_format=torch.channels_last)
    bank = build_bank(config, atlas, encoder, 0, config.scenes)
    held = build_bank(config, atlas, encoder, 10_000_000, config.held)
    texts = [text for ways in bank.texts + held.texts for text in ways]
    book = told_book(args.run, args.world, args.encoder or args.init_from, texts, machine.leads)
    stage = PriorStage(config, bank, held, book, load_head(args.init_from, args.text_head or args.clip), machine.device)
    before: dict[str, float] = {}
    if args.init_from is not None:
        load_network(args.init_from, "prior", stage.module, fresh=("bank",))
        shipped = Prior(bank=bank_size(args.init_from))
        load_network(args.init_from, "prior", shipped)
        before = stage.evaluate(shipped.to(machine.device).eval())
    module = train(stage, loop, machine, args.run, args.steps)
    if machine.leads:
        if config.remembered:
            module = with_bank(module, bank.images, config.remembered).to(machine.device)
            save_half(module.state_dict(), args.run, "weights")
        figures = {"before": before, "after": stage.evaluate(module)}
        (args.run / "figures.json").write_text(json.dumps(figures, indent=1))
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
