"""Scenes are repeatable, their ids exact, their masks disjoint; sizes reach from small to 90 % of the picture."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.common.errors import TrainingError
from training.world import masks
from training.world.coco import PanopticFolder
from training.world.scene import SceneOptions, make_scene
from training.world.settings import draw_setting
from training.world.source import SceneSource
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import concepts, settings


def test_vocabulary_matches_the_settings_that_can_be_drawn() -> None:
    assert len(concepts()) == 593
    assert len(settings()) == 38 + 48
    for name in settings():
        picture = draw_setting(name, 32, np.random.default_rng(1))
        assert picture.shape == (32, 32, 3)
    with pytest.raises(KeyError):
        draw_setting("the moon's kitchen", 32, np.random.default_rng(1))


def test_settings_differ_from_each_other() -> None:
    means = np.array([draw_setting(n, 32, np.random.default_rng(3)).reshape(-1).astype(float) for n in settings()[:38]])
    gaps = np.abs(means[:, None] - means[None]).mean(2) + 1e3 * np.eye(len(means))
    assert gaps.min() > 1.0


def test_same_seed_same_scene_and_another_seed_another(atlas: SpriteAtlas) -> None:
    options = SceneOptions(empty=0.0)
    a, b, c = (make_scene(atlas, options, np.random.default_rng([1, i])) for i in (5, 5, 6))
    assert (a.image == b.image).all() and (a.labels == b.labels).all() and a.caption == b.caption
    assert (a.image != c.image).any()


def test_a_backdrop_lacks_the_last_things_and_nothing_else(atlas: SpriteAtlas) -> None:
    options, emptied, kept = SceneOptions(backdrop=True, shadow=0.0, rough=False), 0, 0
    for i in range(60):
        scene = make_scene(atlas, options, np.random.default_rng([4, i]))
        assert scene.backdrop is not None
        changed = (scene.backdrop != scene.image).any(2)
        if scene.others:
            assert not changed.any()
        # soft edges lie a little beyond the mask
        thing = cv2.dilate((scene.exact > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        assert not (changed & ~thing).any()
        gone = [k for k in range(1, len(scene.segments) + 1) if changed[scene.exact == k].mean() > 0.5]
        assert gone == list(range(len(scene.segments) - len(gone) + 1, len(scene.segments) + 1))
        emptied += len(gone) == len(scene.segments) > 0
        kept += 0 < len(gone) < len(scene.segments)
    assert emptied > 5 and kept > 5
    assert make_scene(atlas, SceneOptions(), np.random.default_rng([4, 1])).backdrop is None


def test_ids_are_exact_and_rough_masks_differ(atlas: SpriteAtlas) -> None:
    exact_differs = 0
    for i in range(60):
        scene = make_scene(atlas, SceneOptions(empty=0.0, tilt=0, shadow=0.0), np.random.default_rng([2, i]))
        present = set(np.unique(scene.labels)) - {0}
        assert present == set(range(1, len(scene.segments) + 1))
        exact_differs += int((scene.labels != scene.exact).any())
        for k, segment in enumerate(scene.segments, 1):
            if segment.rough_kind == "exact":
                assert (scene.labels == k).sum() <= (scene.exact == k).sum()
            assert segment.label.endswith(concepts()[segment.concept].label)
    assert 10 < exact_differs < 60


def test_sizes_reach_ninety_percent(atlas: SpriteAtlas) -> None:
    sides = [s.side for i in range(300) for s in make_scene(atlas, SceneOptions(empty=0.0), np.random.default_rng([3, i])).segments]
    assert max(sides) > 0.84 and min(sides) < 0.2


@pytest.mark.parametrize("kind", sorted(masks.ROUGHEN))
def test_rough_masks_stay_near_the_shape(kind: str) -> None:
    mask = np.zeros((64, 64), bool)
    mask[20:44, 16:50] = True
    rough = masks.roughen(mask, kind, np.random.default_rng(4))
    overlap = (rough & mask).sum() / (rough | mask).sum()
    assert 0.3 < overlap <= 1.0
    assert rough.shape == mask.shape and rough.dtype == bool


def test_scenes_do_not_depend_on_how_many_processes_draw_them(atlas: SpriteAtlas) -> None:
    alone, many = SceneSource(atlas, SceneOptions(), 9), SceneSource(atlas, SceneOptions(), 9, workers=2, ahead=1)
    try:
        for first in (0, 40, 80):
            a, b = alone.get(first, 40), many.get(first, 40)
            assert (a.images == b.images).all() and (a.labels == b.labels).all()
    finally:
        many.close()


def panoptic_folder(folder: Path, pictures: int = 3) -> PanopticFolder:
    """A COCO-panoptic data set of a few pictures with two segments each; the last picture is missing."""
    annotations, images = [], []
    for i in range(pictures):
        picture = np.full((60, 80, 3), 40 * i, np.uint8)
        ids = np.zeros((60, 80), np.int64)
        ids[:, :40], ids[10:50, 45:75] = 7, 300 + i
        picture[ids == 7] = (0, 0, 200)
        coded = np.stack([ids // 65536, ids // 256 % 256, ids % 256], -1).astype(np.uint8)
        cv2.imwrite(str(folder / f"{i}.png"), coded)
        if i < pictures - 1:
            cv2.imwrite(str(folder / f"{i}.jpg"), picture)
        images.append({"id": i, "file_name": f"{i}.jpg"})
        annotations.append({"image_id": i, "file_name": f"{i}.png", "segments_info": [
            {"id": 7, "category_id": 1}, {"id": 300 + i, "category_id": 2}]})
    file = folder / "panoptic.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations,
                                "categories": [{"id": 1, "name": "sea"}, {"id": 2, "name": "boat"}]}))
    return PanopticFolder(folder, file, folder, rough=False)


def test_coco_panoptic_reader(tmp_path: Path) -> None:
    data = panoptic_folder(tmp_path)
    scenes = data.scenes(1, 0, 30)
    labels = {s.label for scene in scenes for s in scene.segments}
    assert labels == {"sea", "boat"}
    assert "2.jpg" in data.skipped
    for scene in scenes:
        assert scene.image.shape == (64, 64, 3)
        for k, segment in enumerate(scene.segments, 1):
            inside = scene.image[scene.labels == k]
            assert (scene.labels == k).mean() >= 0.05
            if segment.label == "sea":
                assert inside[:, 0].mean() > 150 > 60 > inside[:, 2].mean()  # red, read in the right order


def test_a_broken_annotation_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{}")
    with pytest.raises(TrainingError, match="not a COCO-panoptic file"):
        PanopticFolder(tmp_path, tmp_path / "p.json", tmp_path)
