"""Reference tensors of a pack: inputs kept from the pack it came from, outputs computed anew in PyTorch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.conditioning import box_of
from training.diffusion import CosineSchedule, sample_ddim
from training.nets.prior import sample_prior
from training.nets.sketch import frame_masks, paste
from training.nets.superres import paste_fine
from training.nets.unet import anchor
from training.pack_runner import PackRunner, map_of

LOOKED_AT = np.s_[:, :, 100:164, 100:164]
"""The part of super-resolution's picture whose enlargement is recorded."""
KEPT = ("labels", "noise", "pictures", "prior_noise", "prior_timestep")


@torch.no_grad()
def write_reference(pack: Path, inputs: Path) -> dict[str, float]:
    """Writes ``reference/`` and returns the largest differences between ONNX Runtime and PyTorch.

    ``inputs`` is the reference folder of another pack: texts, noise and masks stay the same from pack to pack.
    """
    from training.export import open_pack

    nets, folder = open_pack(pack), pack / "reference"
    folder.mkdir(exist_ok=True)
    old = json.loads((inputs / "reference.json").read_text("utf-8"))
    runner = PackRunner(pack, threads=1)
    for name in KEPT:
        if inputs.resolve() != folder.resolve():
            shutil.copyfile(inputs / f"{name}.npy", folder / f"{name}.npy")
    given = {name: torch.from_numpy(np.load(folder / f"{name}.npy")) for name in KEPT}
    out = compute(nets, runner, given, [t["text"] for t in old["texts"]])
    differences = compare(runner, given, out)
    files = {}
    for name, tensor in (given | out).items():
        array = tensor.numpy()
        np.save(folder / f"{name}.npy", array)
        files[f"{name}.npy"] = {"shape": list(array.shape), "dtype": str(array.dtype),
                                "note": old["files"].get(f"{name}.npy", {}).get("note", "")}
    steps = json.loads((pack / "pack.json").read_text())["training"].get("decoderSteps", 0)
    (folder / "reference.json").write_text(json.dumps(
        old | {"pack": json.loads((pack / "pack.json").read_text())["id"], "step": steps, "files": files, "max_difference_onnxruntime_cpu": differences}, indent=1) + "\n")
    return differences


def compute(nets: dict[str, nn.Module], runner: PackRunner, given: dict[str, Tensor], texts: list[str]) -> dict[str, Tensor]:
    """Every recorded output, in PyTorch but for the sentence encoder, which exists in ONNX only."""
    schedule = CosineSchedule()
    sentence = torch.from_numpy(runner.encode(texts)[0])
    text = nets["text_encoder"](sentence)
    pixels = given["pictures"].permute(0, 3, 1, 2).float() / 127.5 - 1
    run = sample_prior(nets["prior"], schedule, text, sentence, given["prior_noise"])
    st_map = torch.from_numpy(map_of(given["labels"].numpy(), run[[0, 1, 3]].numpy()))[None]
    sketch = sketch_stage(nets, given["labels"], run[[0, 1, 3]])
    st, scene = nets["st_projector"](st_map, None, sketch.get("sketch_map")), run[11:12]
    zeros = [torch.zeros_like(s) for s in st]
    unet = nets["unet"]

    def held(v: Tensor, x: Tensor, t: Tensor) -> Tensor:
        return anchor(v, x, t, sketch["sketch_map"]) if sketch else v

    def multi(x: Tensor, t: Tensor) -> Tensor:
        none = unet(x, t, scene * 0, zeros)
        return held(none + 1.5 * (unet(x, t, scene, zeros) - none) + 3 * (unet(x, t, scene * 0, st) - none), x, t)

    def single(x: Tensor, t: Tensor) -> Tensor:
        none = unet(x, t, scene * 0, zeros)
        return held(none + 2 * (unet(x, t, scene, st) - none), x, t)

    fine = {}
    if nets["super_resolution"].sketch:
        fine = {"fine_sketch_map": paste_fine(sketch["sketch"], given["labels"][None].long(), *layout_of(given["labels"]))}
    ddim = sample_ddim(schedule, multi, given["noise"])
    sharp = nets["super_resolution"](ddim.clamp(-1, 1), *fine.values())
    larger = {"enlargement": nets["enlargement"](sharp[LOOKED_AT].clamp(-1, 1))} if "enlargement" in nets else {}
    return {
        "sentence_embeds": sentence, "text_embeds": text, "image_embeds": nets["image_encoder"](pixels),
        "prior_call": nets["prior"](given["prior_noise"], given["prior_timestep"], text, sentence), "prior_run": run,
        **sketch, **fine, **{f"st_{size}": s for size, s in zip((64, 32, 16, 8), st, strict=True)},
        "unet_call": unet(given["noise"], torch.tensor([599]), scene, st), "run_ddim_multi": ddim,
        "run_dpmpp2m_single": dpm_solver(schedule, single, given["noise"], 16),
        "super_resolution": sharp, **larger,
    }


def sketch_stage(nets: dict[str, nn.Module], labels: Tensor, embeddings: Tensor) -> dict[str, Tensor]:
    """Masks in their frames, sketches and the sketch map of one layout [64, 64]; nothing where the pack has no sketch."""
    if "sketch" not in nets:
        return {}
    boxes, owner = layout_of(labels)
    masks = frame_masks(labels[None].long(), boxes, owner)
    drawn = nets["sketch"](embeddings, masks)
    return {"segment_masks": masks, "sketch": drawn, "sketch_map": paste(drawn, labels[None].long(), boxes, owner)}


def layout_of(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes [n, 3] and owners [n, 2] of the segments of one layout, as in ``SceneBatch``."""
    ids = range(1, int(labels.max()) + 1)
    return (torch.tensor([box_of((labels == k).numpy()) for k in ids], dtype=torch.float32),
            torch.tensor([(0, k) for k in ids], dtype=torch.int64))


def dpm_solver(schedule: CosineSchedule, v_of, noise: Tensor, steps: int) -> Tensor:
    """DPM++ 2M as diffusers runs it: trailing timesteps, midpoint, first order at the last step, no thresholding."""
    times = [int(v) for v in np.round(np.arange(schedule.count, 0, -schedule.count / steps)).astype(np.int64) - 1]
    sigma_of = [float(((1 - schedule.alphas[t].double()) / schedule.alphas[t].double()).sqrt()) for t in times] + [0.0]
    x, clean_before = noise, None
    for i, t in enumerate(times):
        timestep = torch.full((x.shape[0],), t)
        a, s = schedule.parts(timestep, x.dim())
        clean = a * x - s * v_of(x, timestep)
        here, after = sigma_of[i], sigma_of[i + 1]
        alpha_h, alpha_n = 1 / (here**2 + 1) ** 0.5, 1 / (after**2 + 1) ** 0.5
        ratio = (after * alpha_n) / (here * alpha_h)
        h_factor = after / here  # exp(-h), h the step in log signal to noise
        if clean_before is None or i == len(times) - 1:
            direction = clean
        else:
            before = sigma_of[i - 1]
            h, h0 = np.log(here / after), np.log(before / here)
            direction = clean + (clean - clean_before) * (h / h0) / 2
        x = ratio * x + alpha_n * (1 - h_factor) * direction
        clean_before = clean
    return x


def compare(runner: PackRunner, given: dict[str, Tensor], out: dict[str, Tensor]) -> dict[str, float]:
    """Largest absolute differences between ONNX Runtime and the recorded tensors."""
    n = {k: v.numpy() for k, v in (given | out).items()}

    def gap(a: np.ndarray, name: str) -> float:
        return float(np.abs(a - n[name]).max())

    names = ["st_64", "st_32", "st_16", "st_8"]
    st_map = map_of(n["labels"], n["prior_run"][[0, 1, 3]])[None]
    boxes, owner = (part.numpy() for part in layout_of(given["labels"]))
    sketch, _ = runner.sketch_maps(n["labels"][None], boxes, owner, n["prior_run"][[0, 1, 3]])
    made_st = list(runner.project(st_map, sketch).values())
    call = runner.prior.run(None, {"hidden_states": n["prior_noise"], "timestep": n["prior_timestep"],
                                   "text_embeds": n["text_embeds"], "sentence_embeds": n["sentence_embeds"]})[0]
    v = runner.unet.run(None, {"sample": n["noise"], "timestep": np.array([599]), "global_embeds": n["prior_run"][11:12],
                               **{k: n[k] for k in names}})[0]
    pictures = n["pictures"].transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
    run = runner.generate(n["prior_run"][11:12], st_map, n["noise"], sketch=sketch)
    drawn = {} if sketch is None else {"sketch_map": gap(sketch, "sketch_map")}
    if "enlargement" in n:
        drawn["enlargement"] = gap(runner.enlarge_again(np.clip(n["super_resolution"][LOOKED_AT], -1, 1)), "enlargement")
    return drawn | {"image_embeds": gap(runner.embed_images(pictures), "image_embeds"), "prior, one call": gap(call, "prior_call"),
            "st_projector": max(gap(m, k) for m, k in zip(made_st, names, strict=True)), "unet, one call": gap(v, "unet_call"),
            "run_ddim_multi": float(np.abs(run - np.clip(n["run_ddim_multi"], -1, 1)).max()),
            "super_resolution": gap(runner.enlarge(np.clip(n["run_ddim_multi"], -1, 1), n.get("fine_sketch_map")), "super_resolution")}
