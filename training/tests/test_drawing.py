"""The drawing: laying it into shapes, what it learns, how the sketch begins from it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.common.errors import TrainingError
from training.common.loop import LoopConfig, train
from training.common.machine import Machine
from training.drawing import DrawingStage, DrawingTraining, tight
from training.nets.clip import ImageEncoder
from training.nets.drawing import Drawing, SketchConfig, extent, lay_into
from training.nets.sketch import Sketch, frame_masks
from training.sketch import SketchStage, SketchTraining, main, nearer_way
from training.world import masks
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas

TINY = SketchConfig(condition=32, widths=(16, 16, 16), fine=8)
MACHINE = Machine(torch.device("cpu"), False)


def box(y0: int, y1: int, x0: int, x1: int) -> torch.Tensor:
    """One mask [1, 1, 32, 32] with a rectangle."""
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., y0:y1, x0:x1] = 1
    return mask


def drawing_of(presence: torch.Tensor, colour: float = 0.5) -> torch.Tensor:
    return torch.cat([torch.full((1, 3, 32, 32), colour), presence], 1)


def test_extents() -> None:
    first, last = extent(box(3, 9, 20, 21), 2)
    assert (first.item(), last.item()) == (3, 9)
    first, last = extent(box(3, 9, 20, 21), 3)
    assert (first.item(), last.item()) == (20, 21)
    first, last = extent(torch.zeros(1, 1, 32, 32), 2)
    assert last - first == 1


@pytest.mark.parametrize(("thing", "room", "expected"), [
    ((0, 32, 0, 32), (8, 24, 8, 24), (8, 24, 8, 24)),
    ((0, 32, 0, 32), (4, 12, 0, 32), (4, 12, 12, 20)),
    ((8, 24, 0, 32), (2, 30, 10, 26), (12, 20, 10, 26)),
    ((0, 32, 8, 24), (20, 28, 0, 16), (20, 28, 6, 10)),
])
def test_a_drawing_fits_with_its_proportions_into_the_middle(
        thing: tuple[int, int, int, int], room: tuple[int, int, int, int], expected: tuple[int, int, int, int]) -> None:
    laid = lay_into(drawing_of(box(*thing)), box(*room))
    found = [int(v.item()) for axis in (2, 3) for v in extent(laid[:, 3:], axis)]
    assert found == list(expected)
    y0, y1, x0, x1 = expected
    assert torch.allclose(laid[0, :3, y0 + 1 : y1 - 1, x0 + 1 : x1 - 1], torch.tensor(0.5), atol=1e-3)
    assert laid[0, 3, :max(y0 - 1, 0)].sum() == 0


def test_it_is_mirrored_where_the_shape_says_so() -> None:
    corner = torch.zeros(1, 1, 32, 32)
    corner[..., :, :10] = 1
    corner[..., 22:, :] = 1
    mirrored = lay_into(drawing_of(corner), corner.flip(3))
    plain = lay_into(drawing_of(corner), corner)
    assert float((mirrored[:, 3:] - corner.flip(3)).abs().mean()) < 0.02
    assert float((plain[:, 3:] - corner).abs().mean()) < 0.02


def test_empty_masks_and_drawings_stay_finite() -> None:
    for presence in (torch.zeros(1, 1, 32, 32), box(0, 32, 0, 32)):
        assert torch.isfinite(lay_into(drawing_of(presence), torch.zeros(1, 1, 32, 32))).all()


def test_sprites_are_moved_into_their_middle() -> None:
    sprite = np.zeros((64, 64, 4), np.uint8)
    sprite[40:60, 2:12] = 255
    made = tight(sprite, 32)
    assert made.shape == (32, 32, 4)
    assert made[:, 8:24, 3].min() > 200 and made[:, :7, 3].max() == 0 and made[:, 25:, 3].max() == 0
    assert tight(np.zeros((64, 64, 4), np.uint8), 32).max() == 0


def test_loose_shapes_hold_the_thing_tightly_one_way() -> None:
    thing = np.zeros((64, 64), bool)
    thing[20:40, 24:40] = True
    rng = np.random.default_rng(0)
    for _ in range(20):
        for shape in (masks.oval(thing, rng), masks.box(thing, rng)):
            rows, columns = np.flatnonzero(shape.any(1)), np.flatnonzero(shape.any(0))
            tall, wide = len(rows), len(columns)
            assert 19 <= tall <= 34 and 15 <= wide <= 28
            assert tall <= 22 or wide <= 18
            assert abs((rows[0] + rows[-1]) / 2 - 29.5) <= 1 and abs((columns[0] + columns[-1]) / 2 - 31.5) <= 1
    kinds = masks.kinds_with(0.2, 0.5)
    assert sum(kinds.values()) == pytest.approx(1) and kinds["oval"] + kinds["box"] == pytest.approx(0.5)


def test_the_nearer_of_both_ways_counts() -> None:
    masks_ = torch.ones(2, 1, 32, 32)
    target = torch.rand(2, 3, 32, 32)
    exact = (torch.rand(2, 1, 32, 32) > 0.5).float()
    made = torch.cat([target, (exact * 2 - 1) * 9], 1)
    made[1] = made[1].flip(2)
    colour, part, mirrored = nearer_way(made, target, masks_, exact)
    assert mirrored.tolist() == [False, True]
    assert colour < 1e-6 and part < 1e-6


def test_drawing_learns_what_things_look_like(atlas: SpriteAtlas, tmp_path: Path) -> None:
    world = SceneOptions(counts=(1.0,), empty=0.0, concept_ids=(1,), recolour=0.0, rough=False, smallest=0.5)
    stage = DrawingStage(DrawingTraining(net=TINY, world=world), atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"))
    first = stage.loss(0, MACHINE, 8)[1]
    train(stage, LoopConfig(minutes=5, batch=8, rate=1e-2, sheet_minutes=0, warm_steps=5, ema=0.9), MACHINE, tmp_path, 100)
    last = stage.loss(1000, MACHINE, 8)[1]
    assert last["colour"] < 0.75 * first["colour"] and last["part"] < 0.8 * first["part"]


def test_things_from_a_pool_are_those_of_the_scenes(atlas: SpriteAtlas, tmp_path: Path) -> None:
    world = SceneOptions(counts=(0.0, 1.0), empty=0.0, rough=False, smallest=0.5)
    config = DrawingTraining(net=TINY, world=world, pool=7, exact=1.0, gradient=0.3, perceptual_every=2)
    stage = DrawingStage(config, atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"))
    batch = stage.source.get(0, 7)
    assert stage.pool is not None
    assert torch.equal(stage.pool.targets, stage.sprites(batch))
    assert torch.allclose(stage.pool.exact, stage.embed(batch, 1.0), atol=1e-5)
    targets, embeddings = stage.things(3, MACHINE, 4)
    assert len(targets) == round(4 * len(stage.pool.targets) / 7)
    again = stage.things(3, MACHINE, 4)
    assert torch.equal(targets, again[0]) and torch.equal(embeddings, again[1])
    for target, embedding in zip(targets, embeddings, strict=True):
        at = int((stage.pool.exact - embedding).abs().sum(1).argmin())
        assert torch.equal(stage.as_targets(stage.pool.targets[at][None])[0], target)
    assert "feature" in stage.loss(0, MACHINE, 4)[1] and "feature" not in stage.loss(1, MACHINE, 4)[1]


def test_the_target_of_a_turned_hue_is_turned(atlas: SpriteAtlas) -> None:
    world = SceneOptions(counts=(1.0,), empty=0.0, recolour=1.0, rough=False, smallest=0.5)
    stage = DrawingStage(DrawingTraining(net=TINY, world=world), atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"))
    batch = stage.source.get(0, 6)
    turned = stage.as_targets(stage.sprites(batch))
    for scene in batch.scenes:
        for segment in scene.segments:
            assert 40 <= segment.hue <= 320
            segment.hue = 0.0
    assert float((stage.as_targets(stage.sprites(batch))[:, :3] - turned[:, :3]).abs().mean()) > 0.02
    assert torch.equal(stage.as_targets(stage.sprites(batch))[:, 3], turned[:, 3])


def test_the_sketch_leaves_the_drawing_as_it_is(atlas: SpriteAtlas, tmp_path: Path) -> None:
    known = Drawing(TINY).state_dict()
    config = SketchTraining(net=TINY, world=SceneOptions(counts=(1.0,), empty=0.0, loose=0.5, exact=0.2))
    stage = SketchStage(config, atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"), drawing=known)
    train(stage, LoopConfig(minutes=5, batch=4, rate=4e-3, sheet_minutes=0, warm_steps=2, ema=0.5), MACHINE, tmp_path, 4)
    sketch = stage.module
    assert isinstance(sketch, Sketch)
    assert all(torch.equal(known[k], v) for k, v in sketch.drawing.state_dict().items())
    assert float(sketch.guess_fine.weight.detach().abs().max()) > 0


def test_a_sketch_without_a_drawing_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, atlas: SpriteAtlas) -> None:
    monkeypatch.setattr("sys.argv", ["sketch", "--run", str(tmp_path / "run"), "--world", str(tmp_path)])
    monkeypatch.setattr("training.sketch.SpriteAtlas.load", lambda *_: atlas)
    with pytest.raises(TrainingError, match="needs a drawing"):
        main()


def test_loose_shapes_reach_the_frames() -> None:
    labels = torch.zeros(1, 64, 64, dtype=torch.int64)
    labels[0, 10:30, 10:50] = 1
    mask = frame_masks(labels, torch.tensor([[30.0, 20.0, 43.2]]), torch.tensor([[0, 1]]))
    laid = lay_into(drawing_of(box(0, 32, 8, 24)), mask)
    assert cv2.countNonZero((laid[0, 3].numpy() > 0.5).astype(np.uint8)) < 0.5 * float(mask.sum())
