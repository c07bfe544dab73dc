"""Stages train, stop in time, resume, refuse what does not belong to them, and share a batch between processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.clip import ClipStage, ClipTraining, same_thing
from training.common.checkpoint import PIECE_BYTES, load_checkpoint, load_half, save_checkpoint, save_half
from training.common.errors import TrainingError
from training.common.loop import LoopConfig, from_file, plain, rate_at, same_run, train
from training.common.machine import Machine
from training.conditioning import SceneBatch, crop_segments, scene_batch
from training.decoder import DecoderStage, DecoderTraining
from training.diffusion import CosineSchedule
from training.nets.clip import ImageEncoder
from training.nets.unet import DecoderConfig, STProjector
from training.segmenter import SegmenterStage, SegmenterTraining
from training.superres import SuperResStage, SuperResTraining, degrade
from training.text import PhraseBook
from training.world.scene import SceneOptions, Segment
from training.world.sprites import SpriteAtlas

CPU = Machine(torch.device("cpu"), bf16=False)
SMALL = DecoderConfig(channels=(8, 16, 16), blocks=(1, 1, 1), groups=4, condition=32)


class ToyBook(PhraseBook):
    """Every text has its own random but fixed vector."""

    def __init__(self) -> None:
        super().__init__([], np.zeros((0, 384), np.float32))

    def __call__(self, texts: list[str]) -> torch.Tensor:
        rows = [np.random.default_rng(abs(hash(t)) % 2**32).standard_normal(384) for t in texts]
        return torch.nn.functional.normalize(torch.tensor(np.array(rows), dtype=torch.float32), dim=1)


def decoder_stage(atlas: SpriteAtlas, **changes: object) -> DecoderStage:
    torch.manual_seed(0)
    return DecoderStage(replace(DecoderTraining(net=SMALL), **changes), atlas, ImageEncoder(), CPU.device)


def curve(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "curves.jsonl").read_text().splitlines()]


def v_error(stage: DecoderStage) -> float:
    """The same for every call on the same weights: scenes and noise are fixed."""
    torch.manual_seed(5)
    with torch.no_grad():
        return stage.loss(10_000, CPU, 16)[1]["v_error"]


def test_decoder_learns_and_resumes_where_it_stopped(atlas: SpriteAtlas, tmp_path: Path) -> None:
    loop = LoopConfig(batch=8, rate=3e-3, warm_steps=3, minutes=60, sheet_minutes=0)
    untrained = v_error(decoder_stage(atlas, perceptual=0.0))
    train(decoder_stage(atlas, perceptual=0.0), loop, CPU, tmp_path, max_steps=10)
    resumed = decoder_stage(atlas, perceptual=0.0)
    train(resumed, loop, CPU, tmp_path, max_steps=50)
    assert curve(tmp_path)[-1] | {"step": 50, "images": 400} == curve(tmp_path)[-1]
    assert v_error(resumed) < 0.9 * untrained
    state = load_checkpoint(tmp_path)
    assert state is not None and state["step"] == 50


def test_another_configuration_is_refused_and_the_checkpoint_stays(atlas: SpriteAtlas, tmp_path: Path) -> None:
    loop = LoopConfig(batch=4, sheet_minutes=0)
    train(decoder_stage(atlas), loop, CPU, tmp_path, max_steps=1)
    before = (tmp_path / "latest.pt").read_bytes()
    with pytest.raises(TrainingError, match="another configuration"):
        train(decoder_stage(atlas, inside=5.0), loop, CPU, tmp_path, max_steps=2)
    assert (tmp_path / "latest.pt").read_bytes() == before


def test_the_clock_ends_a_run(atlas: SpriteAtlas, tmp_path: Path) -> None:
    began = time.monotonic()
    train(decoder_stage(atlas), LoopConfig(batch=4, minutes=0.03), CPU, tmp_path)
    assert time.monotonic() - began < 60
    assert load_checkpoint(tmp_path) is not None
    assert (tmp_path / "run.json").is_file() and list(tmp_path.glob("sheet-*.png"))


def test_an_interrupted_write_leaves_the_one_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"step": 1})
    save_checkpoint(tmp_path, {"step": 2})
    (tmp_path / "latest.pt").write_bytes(b"half a file")
    found = load_checkpoint(tmp_path)
    assert found is not None and found["step"] == 1
    (tmp_path / "previous.pt").write_bytes(b"")
    with pytest.raises(TrainingError, match="can be read"):
        load_checkpoint(tmp_path)


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, {"step": 1})

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match="No space left"):
        save_checkpoint(tmp_path, {"step": 2})
    monkeypatch.undo()
    found = load_checkpoint(tmp_path)
    assert found is not None and found["step"] == 1 and not (tmp_path / "writing.pt").exists()


def test_half_weights_that_were_being_written_are_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"a": torch.arange(6.0)}
    save_half(weights, tmp_path, "weights")

    def full(file: Path, **_: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(TrainingError, match="free some space"):
        save_half({"a": torch.zeros(6)}, tmp_path, "weights")
    assert [f.name for f in tmp_path.iterdir()] == ["weights-0.npz"]
    (tmp_path / "writing-weights-0.npz").write_bytes(b"killed here")
    assert torch.equal(load_half(tmp_path, "weights")["a"], weights["a"])


def test_a_checkpoint_older_than_a_setting_goes_on(atlas: SpriteAtlas) -> None:
    stage = decoder_stage(atlas)
    name, config = "decoder", plain(stage.config)
    del config["world"]["backdrop"], config["partial"]
    assert same_run(json.dumps([name, config]), stage)
    stage.config = replace(stage.config, partial=0.1)
    assert not same_run(json.dumps([name, config]), stage)
    stage.config = replace(stage.config, partial=DecoderTraining().partial, inside=9.0)
    assert not same_run(json.dumps([name, config]), stage)


def test_wrong_settings_are_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    for text, wanted in (('{"decoder": {"nosuch": 1}}', "decoder has no setting nosuch"),
                         ('{"decoder": {"world": {"nosuch": 1}}}', "decoder.world has no setting nosuch"),
                         ('{"loop": {}, "sketch": {}}', "meant for sketch, not for decoder"), ("{", "cannot be read")):
        file.write_text(text)
        with pytest.raises(TrainingError, match=wanted):
            from_file(DecoderTraining, file, "decoder")
    file.write_text('{"decoder": {"world": {"counts": [0.5, 0.5], "size": 32}}}')
    assert from_file(DecoderTraining, file, "decoder").world == SceneOptions(counts=(0.5, 0.5), size=32)


def test_an_error_of_the_users_is_a_sentence_and_one_of_ours_a_traceback(tmp_path: Path) -> None:
    def ended(code: str) -> str:
        made = subprocess.run([sys.executable, "-c", f"from training.common.errors import TrainingError\n{code}"],
                              capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
        assert made.returncode == 1
        return made.stderr

    assert ended("raise TrainingError('what', 'advice')") == "error: what\nadvice\n"
    assert "Traceback" in ended("1 / 0")


def test_half_weights_come_in_small_pieces(tmp_path: Path) -> None:
    weights = {f"w{i}": torch.randn(1_500_000) for i in range(12)}
    files = save_half(weights, tmp_path, "weights")
    assert len(files) > 1 and all(f.stat().st_size <= PIECE_BYTES for f in files)
    back = load_half(tmp_path, "weights")
    assert set(back) == set(weights)
    assert all((back[k] - weights[k]).abs().max() < 4e-3 for k in weights)


def test_rate_warms_up_and_decays() -> None:
    loop = LoopConfig(rate=1.0, warm_steps=10, decay_from=0.5, final_rate=0.1)
    assert rate_at(loop, 0.0, 0) == pytest.approx(0.1)
    assert rate_at(loop, 0.4, 100) == 1.0
    assert rate_at(loop, 0.75, 100) == pytest.approx(0.55)
    assert rate_at(loop, 1.0, 100) == pytest.approx(0.1)


def test_projecting_segments_equals_projecting_the_map() -> None:
    config = DecoderConfig(contour=True)
    projector = STProjector(config)
    for p in projector.parameters():
        torch.nn.init.normal_(p)
    embeds, masks = torch.randn(2, 3, 256), (torch.rand(2, 1, 64, 64) * 4).long()
    hot = torch.cat([(masks == k).float() for k in (1, 2, 3)], 1)
    edges = torch.rand(2, 1, 64, 64)
    spread = torch.einsum("bke,bkhw->behw", embeds, hot)
    for a, b in zip(projector(spread, edges), projector.from_segments(embeds, hot, edges), strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=2e-3)


def test_crops_show_the_segment_and_nothing_else() -> None:
    images = torch.full((1, 3, 64, 64), 0.5)
    labels = torch.zeros(1, 64, 64, dtype=torch.int64)
    labels[0, 16:48, 24:40] = 1
    boxes, owner = torch.tensor([[32.0, 32.0, 32 * 1.08]]), torch.tensor([[0, 1]])
    crop = crop_segments(images, labels, boxes, owner)[0]
    assert crop[:, 32, 32].tolist() == pytest.approx([0.5] * 3)
    assert crop[:, :, :14].max() < -0.99 and crop[:, 0].max() < -0.99
    shown = (crop[0] > -0.25).float().mean()
    assert float(shown) == pytest.approx(0.5 / 1.08**2, abs=0.04)


def test_contour_channel_trains(atlas: SpriteAtlas) -> None:
    stage = decoder_stage(atlas, net=replace(SMALL, contour=True), drop_st=0.0)
    loss, figures = stage.loss(0, CPU, 4)
    loss.backward()
    assert np.isfinite(figures["v_error"])
    # pooled kernels start at zero but get a gradient from the first step
    assert stage.module.projector.full.weight.grad[:, -1].abs().max() > 0


def test_backdrops_are_told_only_beside_the_map(atlas: SpriteAtlas, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = decoder_stage(atlas, world=SceneOptions(backdrop=True, empty=0.0), drop_st=0.5, partial=1.0, drop_scene=0.0,
                          scene_noise=0.0, scene_mix=0.0, perceptual=0.0)
    seen: list[tuple[torch.Tensor, list[torch.Tensor]]] = []
    inner = stage.module.unet.forward
    monkeypatch.setattr(stage.module.unet, "forward", lambda x, t, scene, st: (seen.append((scene, st)), inner(x, t, scene, st))[1])
    stage.loss(0, CPU, 24)
    (scene, st), told = seen[0], stage.told[1]
    with_map = st[0].flatten(1).abs().sum(1) > 0
    assert 3 < int(with_map.sum()) < 21 and (told.backdrop != told.scene).any(1).sum() > 8
    for i, drawn in enumerate(told.batch.scenes):
        if drawn.segments:
            assert torch.allclose(scene[i], (told.backdrop if with_map[i] else told.scene)[i], atol=1e-6)


def test_min_snr_weights() -> None:
    schedule = CosineSchedule()
    weight = schedule.min_snr_weight(torch.tensor([0, 300, 999]))
    assert weight[0] == pytest.approx(0.2) and weight[2] == pytest.approx(0.2) and weight[1] > 0.5


def test_clip_learns_to_tell_toy_sprites_apart(atlas: SpriteAtlas, tmp_path: Path) -> None:
    torch.manual_seed(0)
    world = SceneOptions(concept_ids=tuple(range(12)), recolour=0.0, empty=0.0, counts=(1.0,), rough=False, keep_segment=1.0)
    stage = ClipStage(ClipTraining(world=world, synonyms=0.0, scenes=400), atlas, ToyBook(), CPU.device)
    train(stage, LoopConfig(batch=16, rate=2e-3, warm_steps=5), CPU, tmp_path, max_steps=30)
    rows = curve(tmp_path)
    assert rows[-1]["own_caption"] > 0.15  # chance is 1 in 32
    stage.module.eval()
    folded = stage.module.image.fold()
    pixels = torch.rand(3, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        assert (folded(pixels) - stage.module.image(pixels)).abs().max() < 1e-4


def test_same_things_are_no_negatives() -> None:
    things = [Segment(1, 0, None, 0.3), Segment(1, 0, "red", 0.3), Segment(1, 0, "blue", 0.3), Segment(2, 0, None, 0.3)]
    pairs = same_thing(things, ["cat", "red cat", "blue cat", "cat", "a scene"])
    assert pairs[0, 1] and pairs[0, 3] and not pairs[1, 2] and not pairs[0, 4] and not pairs.diagonal().any()


def test_super_resolution_and_segmenter_train(atlas: SpriteAtlas, tmp_path: Path) -> None:
    sharp = SuperResStage(SuperResTraining(), atlas, None, CPU.device)
    met = sharp.meet(0, 2, 1, CPU)
    small, told, large = sharp.crops([*met, *met], torch.Generator().manual_seed(0))
    assert small.shape == (4, 3, 32, 32) and large.shape == (4, 3, 128, 128) and told is None
    seg = SegmenterStage(SegmenterTraining(), atlas, CPU.device)
    for name in "sg":
        (tmp_path / name).mkdir()
    train(sharp, LoopConfig(batch=1, warm_steps=2, sheet_minutes=0), CPU, tmp_path / "s", max_steps=2)
    train(seg, LoopConfig(batch=4, rate=2e-3, warm_steps=2), CPU, tmp_path / "g", max_steps=6)
    assert curve(tmp_path / "g")[-1]["right_pixels"] > 0.05


def test_degrading_keeps_the_picture() -> None:
    x = torch.rand(4, 3, 32, 32) * 2 - 1
    y = degrade(x, torch.Generator().manual_seed(1))
    assert y.shape == x.shape and y.abs().max() <= 1
    assert 0 < (x - y).abs().mean() < 0.5


def run_processes(world: Path, folder: Path, processes: int, config: Path) -> list[dict]:
    """The decoder stage as a user starts it, on one process or by ``accelerate launch`` on several."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", str(processes),
              "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", str(port), "-m"] if processes > 1 else [sys.executable, "-m"]
    command = [*launch, "training.decoder", "--run", str(folder), "--world", str(world), "--clip", str(world / "clip"),
               "--config", str(config), "--steps", "20", "--batch", "16", "--precision", "fp32", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return curve(folder)


def test_two_processes_learn_as_one(world: Path, tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    torch.manual_seed(0)
    save_half(ImageEncoder().state_dict(), world / "clip", "image")
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"loop": {"rate": 3e-3, "warm_steps": 5, "sheet_minutes": 0}, "decoder": {
        "net": {"channels": [8, 16, 16], "blocks": [1, 1, 1], "groups": 4, "condition": 32}, "perceptual": 0.0}}))
    one = run_processes(world, tmp_path / "one", 1, config)[-1]
    two = run_processes(world, tmp_path / "two", 2, config)[-1]
    assert json.loads((tmp_path / "two" / "run.json").read_text())["processes"] == 2
    assert one["images"] == two["images"] == 320
    assert two["v_error"] == pytest.approx(one["v_error"], rel=0.15)


def test_scene_batch_is_whole(atlas: SpriteAtlas) -> None:
    batch: SceneBatch = scene_batch(atlas, SceneOptions(), 1, 0, 12)
    assert batch.images.shape == (12, 3, 64, 64) and batch.owner.shape[0] == sum(len(s.segments) for s in batch.scenes)
    assert batch.boxes.shape == (batch.owner.shape[0], 3)


def _mean_of_ranks(rank: int, port: int, folder: str) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    layer = torch.nn.Linear(3, 2)
    for p in layer.parameters():
        torch.nn.init.constant_(p, float(rank))
    machine = Machine(CPU.device, False, rank, 2)
    machine.average_weights(layer)
    stop = machine.agree(rank == 0)
    Path(folder, str(rank)).write_text(json.dumps([layer.weight.mean().item(), layer.bias.mean().item(), stop]))
    torch.distributed.destroy_process_group()


def test_processes_that_ran_apart_mean_their_weights(tmp_path: Path) -> None:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    torch.multiprocessing.spawn(_mean_of_ranks, (port, str(tmp_path)), nprocs=2)
    assert [json.loads((tmp_path / r).read_text()) for r in "01"] == [[0.5, 0.5, True]] * 2
