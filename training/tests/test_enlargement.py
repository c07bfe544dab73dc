"""The enlargement 256 -> 1024: what it can make of a picture, what it is trained on, how it is packed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from training.common.machine import Machine
from training.common.pack_weights import load_network
from training.enlarge import EnlargeStage, EnlargeTraining, soften
from training.export import export_enlargement
from training.nets.enlargement import NEIGHBOURS, Enlargement, mix
from training.nets.superres import SuperResolution
from training.tests.test_export import session, shaken
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas


@torch.no_grad()
def test_it_begins_as_bilinear_enlargement() -> None:
    x = torch.rand(2, 3, 12, 9) * 2 - 1
    plain = F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
    assert (Enlargement()(x) - plain).abs().max() < 0.06


@torch.no_grad()
def test_nothing_comes_out_that_was_not_there() -> None:
    torch.manual_seed(2)
    x = torch.rand(1, 3, 16, 16) * 2 - 1
    made = shaken(Enlargement())(x)
    reach = F.max_pool2d(F.pad(x, (3, 3, 3, 3), mode="replicate"), 7, 1), -F.max_pool2d(-F.pad(x, (3, 3, 3, 3), mode="replicate"), 7, 1)
    most, least = (F.interpolate(r, scale_factor=4.0, mode="nearest") for r in reach)
    assert (made <= most + 1e-5).all() and (made >= least - 1e-5).all()
    flat = torch.full((1, 3, 8, 8), 0.3)
    assert (shaken(Enlargement())(flat) - 0.3).abs().max() < 1e-5


def test_each_weight_takes_its_own_neighbour() -> None:
    x = torch.rand(1, 3, 9, 9)
    for k, (dy, dx) in enumerate(NEIGHBOURS):
        weights = torch.zeros(1, len(NEIGHBOURS), 16, 9, 9)
        weights[:, k] = 1
        made = mix(x, weights)
        assert torch.equal(made[:, :, 16:20, 16:20], x[:, :, 4 + dy, 4 + dx, None, None].expand(-1, -1, 4, 4))


@torch.no_grad()
def test_it_comes_back_from_a_pack_at_any_size(tmp_path: Path) -> None:
    network, fresh = shaken(Enlargement()), Enlargement()
    export_enlargement(network, tmp_path, half=True)
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
    machine = Machine(torch.device("cpu"), False)
    stage.config = EnlargeTraining(world=stage.config.world, crop=16, through=0.0, portion=0.5)
    optimiser = torch.optim.Adam(stage.module.parameters(), lr=3e-3)
    small, large = stage.crops(stage.meet(0, 4, 1), torch.Generator().manual_seed(1))
    before = (stage.module(small) - large).abs().mean()
    for step in range(30):
        loss, figures = stage.loss(step, machine, 4)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert torch.isfinite(loss) and "l1" in figures
    assert (stage.module(small) - large).abs().mean() < before * 0.97, "30 steps make soft edges sharper"
