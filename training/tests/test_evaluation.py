"""Scoring: true renders beat noise, bounds are bounds, scene files carry the masks they were made of."""

from __future__ import annotations

import json
import re

import cv2
import numpy as np
import torch

from training.all import parse_budget, plan
from training.common.machine import Machine
from training.conditioning import collate
from training.evaluate_dials import by_scene, risen
from training.evaluate_world import blown, frechet, held_out_scenes, roughen_scene, split, summary, table, touching_scenes
from training.nets.judge import JudgeEncoder
from training.nets.segmenter import Segmenter
from training.scene_files import outline, scene_records
from training.segmenter import SegmenterStage, SegmenterTraining, iou
from training.visitors import visitors
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts


def test_held_out_scenes_have_the_asked_number_of_segments(atlas: SpriteAtlas) -> None:
    for count in (1, 4, 8):
        scenes = held_out_scenes(atlas, count, 3)
        assert [len(s.segments) for s in scenes] == [count] * 3
        again = held_out_scenes(atlas, count, 3)
        assert all((a.image == b.image).all() for a, b in zip(scenes, again, strict=True))
    before = scenes[0].labels.copy()
    roughen_scene(scenes[0], np.random.default_rng(1))
    assert (before != scenes[0].labels).any() and set(np.unique(scenes[0].labels)) - {0} == set(range(1, 9))


def test_frechet_distance_is_zero_for_the_same_and_grows() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((400, 8)), rng.standard_normal((400, 8))
    assert abs(frechet(a, a)) < 1e-6
    assert frechet(a, b) < frechet(a, b + 1) < frechet(a, b * 3 + 1)
    # two normals with the same spread: the squared distance of the means
    assert abs(frechet(a, a + 2) - 8 * 4) < 1e-6


def test_blown_pictures_are_found_and_calm_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    noise = np.sign(rng.standard_normal((2, 3, 64, 64))).astype(np.float32)
    calm = np.broadcast_to(np.linspace(-1, 1, 64, dtype=np.float32), (2, 3, 64, 64))
    white = np.ones((2, 3, 64, 64), np.float32)
    assert blown(noise).all() and not blown(calm).any() and not blown(white).any()


def test_iou_and_segmenter_answer_only_what_was_asked() -> None:
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    a[:2], b[1:3] = True, True
    assert iou(a, b) == 1 / 3 and iou(a, a) == 1 and iou(a, ~a) == 0
    torch.manual_seed(0)
    found = Segmenter(20).eval().assign(torch.randn(1, 3, 32, 32), [3, 17])
    assert found.shape == (32, 32) and set(found.unique().tolist()) <= {0, 1, 2}


def test_summaries_split_by_number_and_area() -> None:
    rows = [{"count": c, "area": a, "top1": c == 1, "top5": True, "local": 0.5, "shuffled": 0.1, "global": 0.4}
            for c, a in ((1, 0.2), (2, 0.05), (2, 0.01))]
    made = split(rows, "x")
    assert made["x"] == summary(rows) and made["x"]["top1"] == 0.333
    assert made["x, 2 segments"]["segments"] == 2 and made["x, area 10.0% to 100.0%"]["top1"] == 1.0
    assert table(made).count("\n") == len(made) + 1


def test_scene_files_carry_the_masks(atlas: SpriteAtlas) -> None:
    scene = held_out_scenes(atlas, 4, 1)[0]
    made = json.loads(json.dumps(scene_records(scene, "a", 5)))
    kinds = [r["type"] for r in made["records"]]
    assert kinds.count("segment") == kinds.count("slot") == 4 and made["records"][0]["text"] == scene.caption
    for k in range(1, 5):
        mask = scene.labels == k
        drawn = np.zeros((512, 512), np.uint8)
        for part in outline(mask).split("Z"):
            numbers = np.array([int(n) for n in re.findall(r"\d+", part)]).reshape(-1, 2)
            if len(numbers):
                layer = np.zeros_like(drawn)
                cv2.fillPoly(layer, [numbers], 1)
                drawn ^= layer
        small = cv2.resize(drawn.astype(np.float32), (64, 64), interpolation=cv2.INTER_AREA) > 0.5
        assert iou(small, mask) > 0.93


def test_budgets_and_plans(tmp_path) -> None:
    assert parse_budget("2h") == 120 and parse_budget("1h30m") == 90 and parse_budget("45") == 45
    steps = plan(tmp_path, 60, tmp_path / "base", tmp_path, "cpu", from_pack=False)
    assert [s.name for s in steps] == ["sprites", "sprites of 256 px", "sprites of 640 px", "sentences", "clip", "prior", "drawing",
                                       "sketch", "decoder", "superres", "enlarge", "judge", "segmenter", "export", "evaluation"]
    minutes = sum(float(s.arguments[s.arguments.index("--minutes") + 1]) for s in steps if "--minutes" in s.arguments)
    assert 50 < minutes <= 60


def test_touching_scenes_hold_two_neighbours_of_one_kind(atlas: SpriteAtlas) -> None:
    for scene in touching_scenes(atlas, 4):
        assert scene.segments[0].concept == scene.segments[1].concept
        one, two = scene.labels == 1, scene.labels == 2
        assert (one[:, :-1] & two[:, 1:]).any()
        assert ((scene.exact == 1) & one).sum() > 0.9 * (scene.exact == 1).sum()


def test_the_segmenter_begins_with_the_judge_and_asks_for_few(atlas: SpriteAtlas) -> None:
    torch.manual_seed(0)
    judge, names = JudgeEncoder(), torch.randn(len(concepts()), 192)
    stage = SegmenterStage(SegmenterTraining(others=3), atlas, torch.device("cpu"), (judge, names))
    assert isinstance(stage.module, Segmenter)
    assert all(torch.equal(a, b) for a, b in zip(stage.module.body.parameters(), judge.body.parameters(), strict=True))
    pixels = torch.randn(1, 3, 64, 64)
    stage.module.eval()
    few = stage.module.logits(pixels, torch.tensor([5, 9]))
    every = stage.module(pixels)
    assert few.shape == (1, 3, 64, 64) and every.shape == (1, len(concepts()) + 1, 64, 64)
    assert torch.allclose(few, every[:, [0, 6, 10]], atol=1e-5)
    loss, figures = stage.loss(0, Machine(torch.device("cpu"), False), 2)
    assert torch.isfinite(loss) and 0 <= figures["right_in_things"] <= 1


def test_a_dial_is_judged_by_its_own_score() -> None:
    values = (0.5, 4.0)
    scores = {(g, s): {"local": np.array([s, s, -s]), "global": np.array([g, -g, -g])} for g in values for s in values}
    shares = risen(scores, values)
    assert set(shares["segments' dial raises the local score"].values()) == {round(2 / 3, 3)}
    assert set(shares["scene's dial raises the global score"].values()) == {round(1 / 3, 3)}
    rows = [{"scene": 0, "local": 1.0}, {"scene": 1, "local": 0.0}, {"scene": 1, "local": 1.0}]
    assert by_scene(rows, "local", 2).tolist() == [1.0, 0.5]


def test_a_thing_that_nobody_asked_for_is_a_visitor(atlas: SpriteAtlas) -> None:
    scenes = held_out_scenes(atlas, 1, 6)
    true = collate(scenes).images.numpy()
    assert not visitors(true, scenes).any()
    guest = true.copy()
    for i, scene in enumerate(scenes):
        y, x = max(((y, x) for y in (2, 46) for x in (2, 46)), key=lambda p: -int((scene.labels[p[0]:p[0] + 16, p[1]:p[1] + 16] > 0).sum()))
        guest[i, :, y:y + 16, x:x + 16] = np.array([1, -1, 0.9])[:, None, None]
    assert visitors(guest, scenes).mean() > 0.6
    inside = true.copy()
    for i, scene in enumerate(scenes):
        inside[i][:, scene.labels > 0] = -inside[i][:, scene.labels > 0]
    assert not visitors(inside, scenes).any()
