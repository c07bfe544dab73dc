"""The text side: the head that knows tags, and the prior that stays near real pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from training.clip import known_tags
from training.common.loop import LoopConfig, train
from training.common.machine import Machine
from training.common.pack_weights import load_network
from training.export import bank_size, export_prior, round_half
from training.nets.clip import ImageEncoder
from training.nets.prior import FAR_BELOW, PULL, Prior
from training.nets.unet import EMBEDDING_SCALE
from training.prior import PriorTraining, build_bank, embedded, with_bank
from training.text import PhraseBook, said, segment_phrases, spoken, whole_caption, with_article
from training.text_head import TextHeadStage, TextHeadTraining, build, meanings
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts, settings


class Invented(PhraseBook):
    """A sentence embedding for every text, always the same one."""

    def __init__(self) -> None:
        super().__init__([], np.zeros((0, 384)), None)

    def __call__(self, texts: list[str]) -> torch.Tensor:
        made = [torch.randn(384, generator=torch.Generator().manual_seed(sum(map(ord, t)) * 31 + len(t))) for t in texts]
        return F.normalize(torch.stack(made), dim=1)


def test_guesses_near_a_real_picture_stay_and_far_ones_are_drawn_there() -> None:
    torch.manual_seed(1)
    pictures = F.normalize(torch.randn(40, 256), dim=1)
    prior = with_bank(Prior(), pictures, 40)
    near = F.normalize(pictures[:4] + 0.005 * torch.randn(4, 256), dim=1) * EMBEDDING_SCALE
    assert torch.allclose(prior.stay(near), near, atol=0.1)
    far = F.normalize(pictures[0] * 0.5 + F.normalize(torch.randn(256), dim=0) * 0.85, dim=0)[None] * EMBEDDING_SCALE
    assert F.cosine_similarity(far, pictures[:1]) < FAR_BELOW
    drawn = prior.stay(far)
    assert torch.allclose(drawn, far + PULL * (pictures[:1] * EMBEDDING_SCALE - far), atol=0.3)


@torch.no_grad()
def test_a_prior_that_remembers_comes_back_from_its_file(tmp_path: Path) -> None:
    prior = with_bank(Prior(), F.normalize(torch.randn(30, 256), dim=1), 12)
    round_half(prior)
    export_prior(prior, tmp_path, half=True)
    assert bank_size(tmp_path) == 12
    again = Prior(bank=12)
    load_network(tmp_path, "prior", again)
    assert all((a - b).abs().max() < 1e-6 for a, b in zip(prior.parameters(), again.parameters(), strict=True))


def test_a_shared_tag_stands_for_all_its_concepts_and_held_out_ones_for_none() -> None:
    known = meanings(12)
    everything = meanings(0)
    assert set(known) < set(everything)
    shared = next(w for w, owners in everything.items() if len(owners) > 1)
    assert all(shared in (concepts()[i].label, *concepts()[i].tags) for i in everything[shared])


def test_a_name_of_its_own_is_no_tag_of_others() -> None:
    labels = {c.label: i for i, c in enumerate(concepts())}
    borrowed = [(i, t) for i, c in enumerate(concepts()) for t in c.tags if t in labels and labels[t] != i]
    assert borrowed
    assert all(t not in known_tags(i, 0) for i, t in borrowed)
    assert all(meanings(12)[label] == [i] for label, i in labels.items())


def test_names_as_they_are_written() -> None:
    assert [with_article(n) for n in ("crab", "owl", "1st place medal", "ATM sign")] == ["a crab", "an owl", "1st place medal", "ATM sign"]
    assert spoken("owl", True)[0] == "an owl" and "a picture of an owl" in spoken("owl", True) and "the owl" in spoken("owl", True)
    assert spoken("red crab", False) == ("a red crab",)
    rng = np.random.default_rng(1)
    drawn = {said("crab", 0.5, rng) for _ in range(200)}
    assert drawn == {"crab", *spoken("crab", True)}
    assert {said("red crab", 1.0, rng) for _ in range(20)} == {"a red crab"}
    assert {said("crab", 0.0, rng) for _ in range(20)} == {"crab"}
    prepared = set(segment_phrases())
    assert {"crab", "a red crab", "the crab"} <= prepared
    assert all(with_article(t) in prepared for c in concepts() for t in c.tags)


def test_the_head_learns_names_and_tags(atlas: SpriteAtlas, tmp_path: Path) -> None:
    config = TextHeadTraining(world=SceneOptions(counts=(1.0,), empty=0.0, concept_ids=(1, 2, 3), recolour=0.0), scenes=40, noise=0.0)
    stage = TextHeadStage(config, build(config, atlas, ImageEncoder((8, 8, 16, 16)).eval()), Invented(), torch.device("cpu"))
    stage.words = [w for w, owners in stage.meanings.items() if set(owners) <= {1, 2, 3}]
    machine = Machine(torch.device("cpu"), False)
    before = stage.loss(0, machine, 32)[1]["found"]
    train(stage, LoopConfig(minutes=5, batch=32, rate=2e-3, warm_steps=3, sheet_minutes=0), machine, tmp_path, 25)
    assert stage.loss(500, machine, 32)[1]["found"] < 0.7 * before


def test_a_whole_caption_leaves_nothing_out_and_adds_nothing() -> None:
    rng, ways = np.random.default_rng(3), set()
    for setting in settings():
        for things in ([], ["crab"], ["owl", "red boat", "cat"]):
            caption = whole_caption(setting, things, rng)
            assert setting in caption and all(caption.count(t) == 1 for t in things)
            rest = caption.replace(setting, "")
            for t in things:
                rest = rest.replace(with_article(t), "").replace(t, "")
            assert set(rest.replace(",", " ").split()) <= {"a", "the", "in", "on", "at", "and", "with", "scene"}
            ways.add(rest)
    assert len(ways) > 15
    assert not any(whole_caption("underwater", [], rng).startswith(("a ", "the ")) for _ in range(30))


def test_the_prior_is_told_every_thing_of_a_scene_and_often_an_empty_one(atlas: SpriteAtlas) -> None:
    config = PriorTraining(world=SceneOptions(keep_segment=1.0, empty=0.3, recolour=0.0))
    bank = build_bank(config, atlas, ImageEncoder().eval(), 0, 60)
    whole = [texts for texts, thing in zip(bank.texts, bank.thing, strict=True) if not thing]
    labels = [texts[0] for texts, thing in zip(bank.texts, bank.thing, strict=True) if thing]
    assert len(whole) == 60 and len(bank.images) == len(bank.texts) == 60 + len(labels)
    assert sum(texts[0] in settings() for texts in whole) > 8
    told = [word for texts in whole for word in texts[0].rpartition(", ")[0].split(" and ")]
    assert sorted(" and ".join(w for w in told if w).split(" and ")) == sorted(" and ".join(labels).split(" and "))


def test_a_thing_in_colours_that_no_word_tells_is_no_pair(atlas: SpriteAtlas) -> None:
    world = SceneOptions(keep_segment=1.0, recolour=1.0)
    segments = [s for batch, _ in embedded(world, atlas, ImageEncoder().eval(), 0, 60) for scene in batch.scenes for s in scene.segments]
    bank = build_bank(PriorTraining(world=world), atlas, ImageEncoder().eval(), 0, 60)
    things = [texts[0] for texts, thing in zip(bank.texts, bank.thing, strict=True) if thing]
    assert things == [s.label for s in segments if s.colour] and 0 < len(things)
    assert len(bank.images) == len(bank.texts) == len(things) + 60
