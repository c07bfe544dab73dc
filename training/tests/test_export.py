"""What is exported computes the same in ONNX Runtime and can be read back, group norms included."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from training.common.errors import TrainingError
from training.common.pack_weights import load_network, load_projector
from training.decoder import DecoderModule
from training.export import main as export_main
from training.export import blend, export_decoder, export_image_encoder, export_prior, export_super_resolution, round_half
from training.nets.clip import ImageEncoder
from training.nets.prior import Prior
from training.nets.superres import SuperResolution
from training.nets.unet import Decoder, DecoderConfig, STProjector

SMALL = DecoderConfig(channels=(16, 16, 32), blocks=(1, 2, 1), groups=4, condition=32)


def session(file: Path):
    onnxruntime = pytest.importorskip("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options)


def shaken(module: torch.nn.Module) -> torch.nn.Module:
    """Random weights everywhere, also where a fresh network has zeros or ones."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn_like(p) * 0.05)
    round_half(module)
    return module.eval()


@torch.no_grad()
def test_decoder_and_projector_come_back(tmp_path: Path) -> None:
    unet, projector = shaken(Decoder(SMALL)), shaken(STProjector(SMALL))
    export_decoder(unet, projector, tmp_path, half=True)
    again, again_projector = Decoder(SMALL).eval(), STProjector(SMALL).eval()
    load_network(tmp_path, "unet", again)
    load_projector(tmp_path, again_projector)
    for a, b in zip([*unet.parameters(), *projector.parameters()], [*again.parameters(), *again_projector.parameters()], strict=True):
        assert (a - b).abs().max() < 1e-6
    st = projector(torch.randn(2, 256, 64, 64) / 16)
    x, t, scene = torch.randn(2, 3, 64, 64), torch.tensor([3, 800]), torch.randn(2, 256) / 16
    feed = {"sample": x, "timestep": t, "global_embeds": scene, **{f"st_{64 >> i}": s for i, s in enumerate(st)}}
    made = session(tmp_path / "unet.onnx").run(None, {k: v.numpy() for k, v in feed.items()})[0]
    assert np.abs(made - unet(x, t, scene, st).numpy()).max() < 1e-4


@torch.no_grad()
def test_other_networks_come_back(tmp_path: Path) -> None:
    sharp, images, prior = shaken(SuperResolution()), shaken(ImageEncoder()), shaken(Prior())
    export_super_resolution(sharp, tmp_path, half=True)
    export_image_encoder(images, tmp_path, half=True)
    export_prior(prior, tmp_path, half=True)
    for kind, module, fresh in (("super_resolution", sharp, SuperResolution()), ("image_encoder", images, ImageEncoder()),
                                ("prior", prior, Prior())):
        load_network(tmp_path, kind, fresh)
        assert all((a - b).abs().max() < 1e-6 for a, b in zip(module.parameters(), fresh.parameters(), strict=True))
    x = torch.rand(1, 3, 24, 40) * 2 - 1
    made = session(tmp_path / "super_resolution.onnx").run(None, {"sample": x.numpy()})[0]
    assert made.shape == (1, 3, 96, 160) and np.abs(made - sharp(x).numpy()).max() < 1e-4


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    export_super_resolution(SuperResolution(channels=16, depth=2), tmp_path, half=True)
    with pytest.raises(TrainingError, match="another configuration"):
        load_network(tmp_path, "super_resolution", SuperResolution())
    with pytest.raises(TrainingError, match="missing"):
        load_network(tmp_path, "unet", Decoder())


@torch.no_grad()
def test_a_blended_decoder_lies_between_its_run_and_the_base(tmp_path: Path) -> None:
    config = DecoderConfig()
    base, run = shaken(DecoderModule(config)), shaken(DecoderModule(config))
    export_decoder(base.unet, base.projector, tmp_path, half=True)
    trained = {k: v + 1 for k, v in run.state_dict().items()}
    for share in (0.0, 0.25, 1.0):
        made = blend(tmp_path, config, trained, share)
        assert made.keys() == trained.keys()
        for name, value in made.items():
            wanted = base.state_dict()[name] * (1 - share) + trained[name] * share
            assert (value - wanted).abs().max() < 2e-3, name


def run_of(folder: Path, stage: str, **net: object) -> Path:
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"stage": stage, "config": {"net": {"sketch": 0, **net}}}))
    np.savez(folder / "weights-0.npz", a=np.zeros(1))
    return folder


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, drawn = tmp_path / "base", run_of(tmp_path / "drawn", "decoder", sketch=5)
    plain, sharp = run_of(tmp_path / "plain", "decoder"), run_of(tmp_path / "sharp", "superres")
    out = tmp_path / "out"

    def refusal(*arguments: object) -> str:
        monkeypatch.setattr("sys.argv", ["export", "--out", str(out), "--base", str(base), *map(str, arguments)])
        with pytest.raises(TrainingError) as error:
            export_main()
        assert not out.exists()
        return str(error.value)

    assert "not a pack" in refusal()
    base.mkdir()
    (base / "pack.json").write_text("{}")
    assert "holds no finished run" in refusal("--prior", tmp_path / "nowhere")
    assert "is a run of superres, not of enlarge" in refusal("--enlargement", sharp)
    assert "give the sketch's run" in refusal("--decoder", drawn)
    (base / "sketch.onnx").write_bytes(b"")
    assert "trained without a sketch" in refusal("--decoder", plain)
