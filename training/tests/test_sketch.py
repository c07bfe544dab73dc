"""The sketch: frames, pasting, the short way to the output, training, export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.common.checkpoint import save_half
from training.common.errors import TrainingError
from training.common.loop import LoopConfig, train
from training.common.machine import Machine
from training.common.pack_weights import load_network, load_projector
from training.conditioning import scene_batch
from training.decoder import DecoderStage, DecoderTraining
from training.diffusion import CosineSchedule
from training.export import HALF_FROM, export_decoder, export_sketch, export_super_resolution
from training.nets.clip import ImageEncoder
from training.nets.drawing import SketchConfig, lay_into
from training.nets.sketch import CHANNELS, Sketch, fits, frame_masks, paste
from training.nets.superres import SuperResolution
from training.nets.unet import SKETCH_SPREAD, SKETCH_UNTIL, Decoder, DecoderConfig, STProjector, anchor
from training.sketch import SketchStage, SketchTraining
from training.superres import SuperResStage, SuperResTraining
from training.tests.test_export import session, shaken
from training.world.scene import SceneOptions
from training.world.sprites import SpriteAtlas

SMALL = DecoderConfig(channels=(16, 16, 32), blocks=(1, 2, 1), groups=4, condition=32, sketch=CHANNELS)
TINY = SketchConfig(condition=32, widths=(16, 16, 16), fine=8)
MACHINE = Machine(torch.device("cpu"), False)


def one_segment(y0: int, y1: int, x0: int, x1: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Labels [1, 64, 64] with one rectangle, its box and owner."""
    labels = torch.zeros(1, 64, 64, dtype=torch.int64)
    labels[0, y0:y1, x0:x1] = 1
    side = 1.08 * max(y1 - y0, x1 - x0)
    return labels, torch.tensor([[(x0 + x1) / 2, (y0 + y1) / 2, side]]), torch.tensor([[0, 1]])


def test_frames_hold_the_shape_and_pasting_puts_it_back() -> None:
    labels, boxes, owner = one_segment(10, 42, 20, 36)
    mask = frame_masks(labels, boxes, owner)
    assert mask.shape == (1, 1, 32, 32)
    assert mask[0, 0, 16, 16] == 1 and mask[0, 0, :, 0].max() == 0
    assert float(mask.mean()) == pytest.approx(16 * 32 / (1.08 * 32) ** 2, abs=0.04)
    column = torch.linspace(-1, 1, 32).reshape(1, 1, 1, 32).expand(1, 1, 32, 32)
    pasted = paste(column, labels, boxes, owner)
    assert float(pasted[labels[:, None] == 0].abs().max()) == 0
    inside = pasted[0, 0, 20, 20:36]
    # a ramp over the frame is a ramp over the segment: 16 of 34.56 cells of a span of 2 * 32 / 31
    assert torch.all(inside[1:] > inside[:-1])
    assert float(inside[-1] - inside[0]) == pytest.approx(15 / 34.56 * 2 * 32 / 31, abs=0.02)


def test_nothing_drawn_pastes_nothing() -> None:
    labels = torch.zeros(2, 64, 64, dtype=torch.int64)
    boxes, owner = torch.zeros(0, 3), torch.zeros(0, 2, dtype=torch.int64)
    assert paste(torch.zeros(0, 5, 32, 32), labels, boxes, owner).abs().max() == 0


def test_the_anchor_is_the_best_guess() -> None:
    """Against the posterior mean of a normal around the sketch, worked out from its definition."""
    schedule, t = CosineSchedule(), torch.tensor([8, 500, 900])
    x, sketch, own = torch.randn(3, 3, 64, 64), torch.rand(3, 5, 64, 64), torch.randn(3, 3, 64, 64)
    sketch[:, 3:] = 1
    a, s = schedule.parts(t, 4)
    variance = SKETCH_SPREAD**2
    clean = sketch[:, :3] + variance * a / (variance * a**2 + s**2) * (x - a * sketch[:, :3])
    trust = s**4 / (s**4 + SKETCH_UNTIL**4)
    assert trust[0] < 0.2 and trust[2] > 0.98
    assert torch.allclose(anchor(own, x, t, sketch), own + trust * ((a * x - clean) / s - own), atol=5e-4)
    assert torch.allclose(anchor(own, x, t, sketch, 3.0), anchor(own, x, t, sketch))
    assert torch.allclose(anchor(own, x, t, sketch, 0.0), own)
    assert torch.allclose(anchor(own, x, t, sketch * 0), own)


def test_a_drawing_is_taken_as_it_is_where_the_shape_holds_it() -> None:
    thing = torch.zeros(1, 1, 32, 32)
    thing[..., 8:24, 6:26] = 1
    thing[..., 8:14, 12:20] = 0
    box, outline, other = (torch.zeros(1, 1, 32, 32) for _ in range(3))
    box[..., 7:25, 5:27] = 1
    outline[:] = thing
    other[..., 2:30, 14:18] = 1
    huge = torch.ones(1, 1, 32, 32)
    speck = torch.zeros(1, 1, 32, 32)
    speck[..., 15:18, 15:18] = 1
    assert fits(thing, box).item() == 1 and fits(thing, outline).item() == 1
    assert fits(thing, other).item() == 0
    assert 0.5 < fits(thing, huge).item() < 1 and fits(speck, huge).item() == 0
    assert fits(torch.zeros(1, 1, 32, 32), box).item() == 0
    assert fits(thing, torch.zeros(1, 1, 32, 32)).item() == 0


@torch.no_grad()
def test_what_is_taken_is_the_laid_drawing() -> None:
    torch.manual_seed(4)
    sketch = Sketch().eval()
    sketch.drawing.out.bias[3] = 20.0  # everywhere
    masks = torch.zeros(2, 1, 32, 32)
    masks[0, :, 4:28, 4:28] = 1  # a square holds it
    masks[1] = torch.eye(32)[None]  # a line does not
    embeddings = torch.nn.functional.normalize(torch.randn(2, 256), dim=1)
    made, laid = sketch(embeddings, masks), lay_into(sketch.drawing(embeddings), masks)
    raw = sketch.raw(embeddings, masks)
    assert torch.allclose(made[0, :3, 5:27, 5:27], (laid / laid[:, 3:])[0, :3, 5:27, 5:27], atol=1e-4)
    assert torch.allclose(made[0, 3], laid[0, 3].clamp(max=1), atol=1e-5)
    assert torch.allclose(made[1, :3], raw[1, :3].clamp(-1, 1), atol=1e-5)


def test_without_segments_the_sketch_changes_nothing() -> None:
    torch.manual_seed(0)
    plain, drawn = Decoder(DecoderConfig(**{**SMALL.__dict__, "sketch": 0})).eval(), Decoder(SMALL).eval()
    drawn.load_state_dict(plain.state_dict(), strict=False)
    x, t, scene = torch.randn(2, 3, 64, 64), torch.tensor([10, 700]), torch.randn(2, 256)
    st = [torch.zeros(2, c, n, n) for c, n in zip((16, *SMALL.channels), (64, 32, 16, 8), strict=True)]
    more = [torch.zeros(2, 16 + CHANNELS, 64, 64), *st[1:]]
    with torch.no_grad():
        assert torch.allclose(plain(x, t, scene, st), drawn(x, t, scene, more), atol=1e-6)


def test_sketch_learns_colours(atlas: SpriteAtlas, tmp_path: Path) -> None:
    config = SketchTraining(net=TINY, world=SceneOptions(counts=(1.0,), empty=0.0, concept_ids=(1, 2, 3), recolour=0.0, rough=False))
    stage = SketchStage(config, atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"))
    first = stage.loss(0, MACHINE, 8)[1]["colour"]
    train(stage, LoopConfig(minutes=5, batch=8, rate=4e-3, sheet_minutes=0, warm_steps=5, ema=0.9), MACHINE, tmp_path, 60)
    last = stage.loss(1000, MACHINE, 8)[1]["colour"]
    assert last < 0.6 * first


def test_decoder_trains_beside_a_sketch_and_takes_its_news(atlas: SpriteAtlas, tmp_path: Path) -> None:
    save_half(Sketch(TINY).state_dict(), tmp_path / "sketch", "weights")
    config = DecoderTraining(net=SMALL, sketch=TINY, reuse=2, perceptual_every=2)
    stage = DecoderStage(config, atlas, ImageEncoder((8, 8, 16, 16)), torch.device("cpu"), sketch=tmp_path / "sketch")
    before = {k: v.clone() for k, v in stage.sketch.state_dict().items()}
    (tmp_path / "run").mkdir()
    train(stage, LoopConfig(minutes=5, batch=4, sheet_minutes=0), MACHINE, tmp_path / "run", 3)
    assert stage.told is not None and stage.told[0] == 1
    save_half(Sketch(TINY).state_dict(), tmp_path / "sketch", "weights")
    stage.refresh_sketch()
    assert any((before[k] - v).abs().max() > 0 for k, v in stage.sketch.state_dict().items())


@torch.no_grad()
def test_export_with_a_sketch_comes_back(tmp_path: Path) -> None:
    unet, projector, sketch = shaken(Decoder(SMALL)), shaken(STProjector(SMALL)), shaken(Sketch())
    export_decoder(unet, projector, tmp_path, half=True)
    export_sketch(sketch, tmp_path, small=True)
    again = Decoder(SMALL), STProjector(SMALL), Sketch()
    load_network(tmp_path, "unet", again[0])
    load_projector(tmp_path, again[1])
    load_network(tmp_path, "sketch", again[2])
    for module, fresh in zip((unet, projector), again[:2], strict=True):
        assert all((a - b).abs().max() < 1e-6 for a, b in zip(module.parameters(), fresh.parameters(), strict=True))
    for (name, a), b in zip(sketch.named_parameters(), again[2].parameters(), strict=True):
        row = a.abs().amax(tuple(range(1, a.ndim)), keepdim=True) if a.ndim > 1 and a.numel() >= HALF_FROM else a.new_zeros(())
        assert ((a - b).abs() <= row / 127 * 0.501 + 1e-6).all(), name
    assert (tmp_path / "sketch.onnx").stat().st_size < 1.1 * sum(p.numel() for p in sketch.parameters())
    embeddings, masks = torch.randn(3, 256) / 16, torch.rand(3, 1, 32, 32)
    drawn = session(tmp_path / "sketch.onnx").run(None, {"image_embeds": embeddings.numpy(), "segment_masks": masks.numpy()})[0]
    assert np.abs(drawn - again[2].eval()(embeddings, masks).numpy()).max() < 1e-4
    st_map, sketch_map = torch.randn(1, 256, 64, 64) / 16, torch.randn(1, CHANNELS, 64, 64)
    st = session(tmp_path / "st_projector.onnx").run(None, {"spatio_textual_map": st_map.numpy(), "sketch_map": sketch_map.numpy()})
    assert st[0].shape == (1, 16 + CHANNELS, 64, 64) and np.allclose(st[0][:, 16:], sketch_map.numpy())
    x, t, scene = torch.randn(1, 3, 64, 64), torch.tensor([300]), torch.randn(1, 256) / 16
    feed = {"sample": x.numpy(), "timestep": t.numpy(), "global_embeds": scene.numpy(), **{f"st_{64 >> i}": s for i, s in enumerate(st)}}
    made = session(tmp_path / "unet.onnx").run(None, feed)[0]
    assert np.abs(made - unet(x, t, scene, [torch.from_numpy(s) for s in st]).numpy()).max() < 1e-4


def test_weights_without_a_sketch_are_refused_unless_asked_for(tmp_path: Path) -> None:
    plain = DecoderConfig(**{**SMALL.__dict__, "sketch": 0})
    export_decoder(shaken(Decoder(plain)), shaken(STProjector(plain)), tmp_path, half=True)
    with pytest.raises(TrainingError, match="no weights for"):
        load_network(tmp_path, "unet", Decoder(SMALL))
    load_network(tmp_path, "unet", Decoder(SMALL), fresh=("sketch_in.", "short."))


def test_super_resolution_sees_the_sketch_where_it_is_the_scene(atlas: SpriteAtlas, tmp_path: Path) -> None:
    torch.manual_seed(0)
    decoder = DecoderStage(DecoderTraining(net=SMALL, sketch=TINY), atlas, ImageEncoder(), MACHINE.device)
    sharp = SuperResStage(SuperResTraining(strange=9.0, blind=0.0, faint=0.0), atlas, decoder, MACHINE.device)
    met = sharp.meet(0, 4, 1, MACHINE)
    assert met[0].sketch.shape == (CHANNELS, 128, 128)
    owned = [m.sketch[4] > 0 for m in met]
    assert any(o.any() for o in owned) and not all(o.all() for o in owned)
    # what is too far from the render is shown to nobody, unless in the share that is to be seen through
    shy = SuperResStage(SuperResTraining(strange=-1.0, misled=0.0), atlas, decoder, MACHINE.device)
    assert all(float(m.sketch.abs().max()) == 0 for m in shy.meet(0, 4, 1, MACHINE))
    misled = SuperResStage(SuperResTraining(strange=-1.0, misled=1.0, blind=0.0, faint=0.0), atlas, decoder, MACHINE.device)
    assert all(torch.equal(m.sketch, w.sketch) for m, w in zip(misled.meet(0, 4, 1, MACHINE), met, strict=True))
    small, told, large = sharp.crops(met, torch.Generator().manual_seed(0))
    assert told is not None and told.shape == (4, CHANNELS, 64, 64)
    # crops of the three lie over each other
    drift = (torch.nn.functional.avg_pool2d(large, 4) - small).abs().mean()
    assert drift < 0.35
    (tmp_path / "s").mkdir()
    module = train(sharp, LoopConfig(batch=2, warm_steps=2, sheet_minutes=0), MACHINE, tmp_path / "s", max_steps=2)
    assert not torch.equal(module(small, told), module(small, told * 0))


@torch.no_grad()
def test_super_resolution_with_a_sketch_comes_back(tmp_path: Path) -> None:
    sharp = shaken(SuperResolution(sketch=CHANNELS))
    export_super_resolution(sharp, tmp_path, half=True)
    again = SuperResolution(sketch=CHANNELS).eval()
    load_network(tmp_path, "super_resolution", again)
    assert all((a - b).abs().max() < 1e-6 for a, b in zip(sharp.parameters(), again.parameters(), strict=True))
    x, told = torch.rand(1, 3, 24, 40) * 2 - 1, torch.rand(1, CHANNELS, 48, 80)
    run = session(tmp_path / "super_resolution.onnx")
    made = run.run(None, {"sample": x.numpy(), "sketch_map": told.numpy()})[0]
    assert made.shape == (1, 3, 96, 160) and np.abs(made - sharp(x, told).numpy()).max() < 1e-4
    assert np.abs(made - sharp(x, told * 0).numpy()).max() > 1e-3
