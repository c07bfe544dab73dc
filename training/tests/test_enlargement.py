"""The enlargement 256 -> 1024: what it can make of a picture, what it is trained on, how it is packed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from training.common.errors import TrainingError
from training.common.machine import Machine
from training.common.pack_weights import load_network
from training.conditioning import blocks_to_meet
from training.enlarge import EnlargeStage, EnlargeTraining, load_before, soften, without_sketch
from training.export import export_super_resolution
from training.nets.sketch import CHANNELS
from training.nets.superres import SuperResolution
from training.pack_description import ENLARGEMENT_FILE
from training.tests.test_export import session, shaken
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas


@torch.no_grad()
def test_it_begins_as_super_resolution_without_what_the_sketch_adds() -> None:
    before = shaken(SuperResolution(sketch=CHANNELS))
    x, nothing = torch.rand(1, 3, 12, 9) * 2 - 1, torch.zeros(1, CHANNELS, 24, 18)
    made = without_sketch(before)(x)
    assert made.shape == (1, 3, 48, 36)
    assert not torch.allclose(made, F.interpolate(x, scale_factor=4.0, mode="bilinear"), atol=1e-3)
    for p in before.fine_out.parameters():
        p.zero_()
    assert torch.allclose(made, before(x, nothing), atol=1e-5)


@torch.no_grad()
def test_it_comes_back_from_a_pack_at_any_size(tmp_path: Path) -> None:
    network, fresh = shaken(SuperResolution()), SuperResolution()
    export_super_resolution(network, tmp_path, True, ENLARGEMENT_FILE)
    load_network(tmp_path, "enlargement", fresh)
    assert all((a - b).abs().max() < 1e-6 for a, b in zip(network.parameters(), fresh.parameters(), strict=True))
    x = torch.rand(1, 3, 20, 33) * 2 - 1
    made = session(tmp_path / "enlargement.onnx").run(None, {"sample": x.numpy()})[0]
    assert made.shape == (1, 3, 80, 132) and np.abs(made - network(x).numpy()).max() < 1e-4


@pytest.fixture
def stage(atlas: SpriteAtlas) -> EnlargeStage:
    world = SceneOptions(size=256, rough=False)
    config = EnlargeTraining(world=world, crop=16, memory=4, fresh_every=2, portion=0.5)
    return EnlargeStage(config, atlas, SuperResolution(), torch.device("cpu"))


def test_crops_of_input_and_render_show_the_same_place(stage: EnlargeStage) -> None:
    stage.config = EnlargeTraining(world=stage.config.world, crop=16, through=0.0, softest=0.0)
    small, large = stage.crops(stage.meet(0, 3, 1), torch.Generator().manual_seed(1))
    assert small.shape == (3, 3, 16, 16) and large.shape == (3, 3, 64, 64)
    assert (small - F.avg_pool2d(large, 4)).abs().max() < 0.02


def test_softer_is_softer() -> None:
    x = (torch.rand(3, 32, 32) > 0.5).float()
    rough = [float(soften(x, s).diff().abs().mean()) for s in (0.0, 0.5, 1.0, 1.6)]
    assert rough == sorted(rough, reverse=True) and torch.allclose(soften(x, 0.0), x)


def test_it_learns(stage: EnlargeStage) -> None:
    torch.manual_seed(0)
    loss, figures = stage.loss(0, Machine(torch.device("cpu"), False), 4)
    loss.backward()
    assert torch.isfinite(loss) and "l1" in figures and all(p.grad is not None for p in stage.module.parameters())
    assert all(p.grad is None for p in stage.before.parameters())
    optimiser = torch.optim.Adam(stage.module.parameters(), lr=1e-3)
    small, large = stage.crops(stage.meet(0, 4, 1), torch.Generator().manual_seed(1))
    errors = []
    for _ in range(12):
        error = (stage.module(small) - large).abs().mean()
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        errors.append(float(error.detach()))
    assert errors[-1] < errors[0]


def test_without_a_network_before_it_there_is_a_sentence(tmp_path: Path) -> None:
    for pack, run in ((None, None), (tmp_path, None), (None, tmp_path)):
        with pytest.raises(TrainingError):
            load_before(pack, run)


def test_a_resumed_run_meets_the_scenes_that_it_would_have_known() -> None:
    whole: list[int] = []
    for step in range(40):
        whole += blocks_to_meet(step, 4, 3, bool(whole))
        assert whole == list(range(step // 4 + 1))
        assert list(blocks_to_meet(step, 4, 3, False)) == whole[-3:]
