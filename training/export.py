"""Exports trained networks as a pack: ONNX files, pack.json, card, notice and reference tensors.

    python -m training.export --out training/runs/pack --id spatext-emoji-v4 --base PACK \\
        [--decoder RUN] [--prior RUN] [--superres RUN] [--enlargement RUN] [--clip RUN]

What is not given is taken over from ``--base``. Float32 in and out; big weights are stored as float16 behind a Cast
(``--full`` keeps float32), so files are half as large and every provider runs them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.card import write_card
from training.common.checkpoint import load_half
from training.common.errors import TrainingError
from training.common.pack_weights import load_network, load_projector
from training.decoder import DecoderModule
from training.nets.clip import ImageEncoder, TextHead
from training.nets.drawing import FRAME
from training.nets.prior import Prior
from training.nets.sketch import CHANNELS, Sketch
from training.nets.superres import FINE, SuperResolution
from training.nets.unet import Decoder, DecoderConfig, STProjector
from training.pack_description import ENLARGEMENT_FILE, OPTIONAL_FILES, bank_size, describe, reads_sketch
from training.reference import write_reference

FIXTURES = Path(__file__).parents[1] / "test" / "fixtures" / "pack-reference"
OPSET = 17
HALF_FROM = 512
ST_SIZES = (64, 32, 16, 8)


class UNetGraph(nn.Module):
    """The decoder with its map as four named inputs."""

    def __init__(self, unet: Decoder) -> None:
        super().__init__()
        self.m = unet

    def forward(self, sample: Tensor, timestep: Tensor, scene: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
        return self.m(sample, timestep, scene, [a, b, c, d])


class ProjectorGraph(nn.Module):
    """The projector of a decoder with a sketch: the map and the sketch map as two named inputs."""

    def __init__(self, projector: STProjector) -> None:
        super().__init__()
        self.m = projector

    def forward(self, st: Tensor, sketch: Tensor) -> list[Tensor]:
        return self.m(st, None, sketch)


class PriorGraph(nn.Module):
    """The prior under the names of the pack format."""

    def __init__(self, prior: Prior) -> None:
        super().__init__()
        self.m = prior

    def forward(self, x: Tensor, timestep: Tensor, text: Tensor, sentence: Tensor) -> Tensor:
        return self.m(x, timestep, text, sentence)


def write_onnx(module: nn.Module, file: Path, example: tuple[Tensor, ...], inputs: list[str], outputs: list[str],
               dynamic: dict[str, dict[int, str]], half: bool = True) -> None:
    """Traces ``module`` into ``file`` and, unless told otherwise, stores its big weights as float16."""
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval().to(memory_format=torch.contiguous_format), example, str(file), input_names=inputs,
                          output_names=outputs, dynamic_axes=dynamic, opset_version=OPSET, dynamo=False)
    if half:
        model = onnx.load(str(file))
        halve(model)
        onnx.save(model, str(file))


def halve(model: Any) -> int:
    """Stores every float32 weight of ``HALF_FROM`` numbers and more as float16 behind a Cast; returns how many."""
    from onnx import TensorProto, helper, numpy_helper

    graph, casts = model.graph, []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), name + "_fp16"))
        casts.append(helper.make_node("Cast", [name + "_fp16"], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    return len(casts)


def store_int8(model: Any) -> int:
    """Stores every float32 weight of ``HALF_FROM`` numbers and more as int8 times a float32 a row, behind a Cast and a
    Mul, which runtimes fold when they load; returns how many. (A DequantizeLinear would be left for every run.)"""
    from onnx import TensorProto, helper, numpy_helper

    graph, nodes, scales = model.graph, [], []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < HALF_FROM or len(tensor.dims) < 2:
            continue
        name, value = tensor.name, numpy_helper.to_array(tensor)
        scale = np.maximum(np.abs(value).max(axis=tuple(range(1, value.ndim)), keepdims=True) / 127, 1e-12).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(np.rint(value / scale).astype(np.int8), name + "_int8"))
        scales.append(numpy_helper.from_array(scale, name + "_scale"))
        nodes.append(helper.make_node("Cast", [name + "_int8"], [name + "_cast"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [name + "_cast", name + "_scale"], [name]))
    graph.initializer.extend(scales)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes + rest)
    return len(scales)


def batch_axes(names: list[str]) -> dict[str, dict[int, str]]:
    return {name: {0: "batch"} for name in names}


def round_half(module: nn.Module) -> None:
    """Rounds the weights that the file keeps in float16, so that PyTorch and the pack compute the same."""
    for p in module.parameters():
        if p.numel() >= HALF_FROM:
            p.data = p.data.half().float()


def export_decoder(unet: Decoder, projector: STProjector, out: Path, half: bool) -> None:
    """unet.onnx and st_projector.onnx."""
    c = unet.config
    if c.contour:
        raise TrainingError("packs of format 1 have no contour input", "train without contour, or extend the format first")
    sts = [f"st_{s}" for s in ST_SIZES]
    maps = [torch.zeros(1, n, s, s) for n, s in zip((c.st_channels + c.sketch, *c.channels), ST_SIZES, strict=True)]
    names = ["sample", "timestep", "global_embeds", *sts]
    write_onnx(UNetGraph(unet), out / "unet.onnx", (torch.randn(1, 3, 64, 64), torch.tensor([500]), torch.randn(1, c.embedding), *maps),
               names, ["out_sample"], batch_axes([*names, "out_sample"]), half)
    export_projector(projector, c, out, half)


def export_projector(projector: STProjector, c: DecoderConfig, out: Path, half: bool) -> None:
    """st_projector.onnx."""
    sts = [f"st_{s}" for s in ST_SIZES]
    st = torch.randn(1, c.embedding, 64, 64)
    if c.sketch:
        write_onnx(ProjectorGraph(projector), out / "st_projector.onnx", (st, torch.randn(1, c.sketch, 64, 64)),
                   ["spatio_textual_map", "sketch_map"], sts, batch_axes(["spatio_textual_map", "sketch_map", *sts]), half)
    else:
        write_onnx(projector, out / "st_projector.onnx", (st,), ["spatio_textual_map"], sts,
                   batch_axes(["spatio_textual_map", *sts]), half)


def export_sketch(sketch: Sketch, out: Path, small: bool) -> None:
    """sketch.onnx; ``small`` stores its big weights as int8: it is run once a generation, and nothing adds its errors up."""
    file = out / "sketch.onnx"
    write_onnx(sketch, file, (torch.randn(2, sketch.config.embedding), torch.rand(2, 1, FRAME, FRAME)),
               ["image_embeds", "segment_masks"], ["sketch"], batch_axes(["image_embeds", "segment_masks", "sketch"]), half=False)
    if small:
        import onnx

        model = onnx.load(str(file))
        store_int8(model)
        onnx.save(model, str(file))


def export_prior(prior: Prior, out: Path, half: bool) -> None:
    names = ["hidden_states", "timestep", "text_embeds", "sentence_embeds"]
    write_onnx(PriorGraph(prior), out / "prior.onnx", (torch.randn(1, 256), torch.tensor([500]), torch.randn(1, 256), torch.randn(1, 384)),
               names, ["predicted_image_embedding"], batch_axes([*names, "predicted_image_embedding"]), half)


def export_super_resolution(network: SuperResolution, out: Path, half: bool, file: str = "super_resolution.onnx") -> None:
    axes = {"sample": {0: "batch", 2: "height", 3: "width"}, "upscaled": {0: "batch", 2: "out_height", 3: "out_width"}}
    example = (torch.randn(1, 3, 64, 64),)
    if network.sketch:
        example = (*example, torch.randn(1, network.sketch, 64 * FINE, 64 * FINE))
        axes["sketch_map"] = {0: "batch", 2: "fine_height", 3: "fine_width"}
    write_onnx(network, out / file, example, ["sample", "sketch_map"][: len(example)], ["upscaled"], axes, half)


def export_image_encoder(encoder: ImageEncoder, out: Path, half: bool) -> None:
    write_onnx(encoder, out / "image_encoder.onnx", (torch.randn(1, 3, 64, 64),), ["pixel_values"], ["image_embeds"],
               batch_axes(["pixel_values", "image_embeds"]), half)


def replace_text_head(base: Path, head: TextHead, out: Path) -> None:
    """The base pack's text encoder with another head: MiniLM inside stays as it is."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(base / "text_encoder.onnx"))
    values = {k: v.numpy() for k, v in head.state_dict().items()}
    for tensor in model.graph.initializer:
        for ours, theirs in (("layers.0", "p.0"), ("layers.3", "p.3")):
            for kind in ("weight", "bias"):
                plain = tensor.name.removesuffix("_fp16")
                if plain.endswith(f"{theirs}.{kind}") or plain.endswith(f"{ours}.{kind}"):
                    value = values[f"{ours}.{kind}"]
                    value = value.astype(np.float16) if tensor.name.endswith("_fp16") else value
                    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
    onnx.save(model, str(out / "text_encoder.onnx"))


def blend(base: Path, config: DecoderConfig, weights: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """The mean of a decoder's weights and those of the base that it was trained on from, ``share`` of the former: what a
    short run unlearns comes back, what it learnt mostly stays (Wortsman et al., arXiv 2109.01903)."""
    old = DecoderModule(config)
    load_network(base, "unet", old.unet, fresh=("sketch_in.", "short."))
    load_projector(base, old.projector)
    return {k: torch.lerp(v.float(), weights[k].float(), share) for k, v in old.state_dict().items()}


def reference_inputs(base: Path, given: Path | None) -> Path:
    """Where the inputs of the reference tensors come from: the base pack, or the project's test fixtures."""
    for folder in (given, base / "reference", FIXTURES):
        if folder is not None and (folder / "reference.json").is_file():
            return folder
    raise TrainingError(f"{base} has no reference tensors to take inputs from", "give --reference FOLDER")


def last_row(run: Path) -> dict[str, Any]:
    """The newest figures of a run."""
    return json.loads((run / "curves.jsonl").read_text("utf-8").strip().splitlines()[-1])


def check_inputs(args: argparse.Namespace) -> None:
    """Refuses what does not fit together before anything is written."""
    if not (args.base / "pack.json").is_file():
        raise TrainingError(f"{args.base} is not a pack (no pack.json)", "give the folder of one by --base")
    stages = {"decoder": "decoder", "sketch": "sketch", "prior": "prior", "superres": "superres", "enlargement": "enlarge",
              "clip": "clip", "text_head": "text-head"}
    for name, stage in stages.items():
        run = getattr(args, name)
        if run is None:
            continue
        if not (run / "run.json").is_file() or not any(run.glob("*-0.npz")):
            raise TrainingError(f"{run} holds no finished run", f"give the folder of a training.{stage.replace('-', '_')} run")
        found = json.loads((run / "run.json").read_text("utf-8"))["stage"]
        if found != stage:
            raise TrainingError(f"{run} is a run of {found}, not of {stage}", f"give --{name.replace('_', '-')} another folder")
    if args.decoder:
        drawn = bool(json.loads((args.decoder / "run.json").read_text("utf-8"))["config"]["net"]["sketch"])
        if drawn and not args.sketch and not (args.base / "sketch.onnx").is_file():
            raise TrainingError("this decoder was trained with a sketch", "give the sketch's run by --sketch")
        if not drawn and (args.sketch or (args.base / "sketch.onnx").is_file()):
            raise TrainingError("this decoder was trained without a sketch, and the pack would have one",
                                "give a --base without a sketch, such as models/spatext-emoji-v0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True, help="pack that what is not given is taken from")
    parser.add_argument("--id", default="spatext-emoji-v4")
    parser.add_argument("--name", default="SpaText, illustrated scenes, v4")
    parser.add_argument("--decoder", type=Path)
    parser.add_argument("--decoder-before", type=Path, nargs="*", default=[], help="runs that the decoder's run went on from")
    parser.add_argument("--share", type=float, default=1.0, help="of the decoder's run in its weights; the rest is the base's")
    parser.add_argument("--sketch", type=Path, help="a training.sketch run")
    parser.add_argument("--sketch-before", type=Path, nargs="*", default=[], help="runs that the sketch's run went on from, its drawing's among them")
    parser.add_argument("--prior", type=Path)
    parser.add_argument("--superres", type=Path)
    parser.add_argument("--superres-before", type=Path, nargs="*", default=[], help="runs that super-resolution's run went on from")
    parser.add_argument("--enlargement", type=Path, help="a training.enlarge run")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--text-head", type=Path, help="a training.text_head run: the base's image tower, another head")
    parser.add_argument("--continued", action="store_true", help="the runs started from the base pack")
    parser.add_argument("--machine", default="two CPU cores")
    parser.add_argument("--reference", type=Path, help="reference folder to take inputs from (default: the base's)")
    parser.add_argument("--results", type=Path, help="results.json of training.evaluate_world, for the card")
    parser.add_argument("--core-minutes", type=float, help="processor time of the training, for the card's energy")
    parser.add_argument("--full", action="store_true", help="keep float32 weights")
    args = parser.parse_args()
    out, half = args.out, not args.full
    check_inputs(args)
    out.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "vocabulary.json", "text_encoder.onnx", "image_encoder.onnx", "prior.onnx",
                 "super_resolution.onnx", "unet.onnx", "st_projector.onnx", "NOTICE.md", *OPTIONAL_FILES):
        if file not in OPTIONAL_FILES or (args.base / file).is_file():
            shutil.copyfile(args.base / file, out / file)
        else:
            (out / file).unlink(missing_ok=True)  # of an earlier export into this folder
    before = json.loads((args.base / "pack.json").read_text("utf-8")).get("training", {})
    training: dict[str, Any] = dict(before)
    if args.decoder:
        config = DecoderConfig(**json.loads((args.decoder / "run.json").read_text())["config"]["net"])
        weights = load_half(args.decoder, "weights")
        unet, projector = Decoder(config), STProjector(config)
        if args.share < 1:
            weights = blend(args.base, config, weights, args.share)
        unet.load_state_dict({k[5:]: v for k, v in weights.items() if k.startswith("unet.")})
        projector.load_state_dict({k[10:]: v for k, v in weights.items() if k.startswith("projector.")})
        export_decoder(unet, projector, out, half)
        rows = [last_row(run) for run in [args.decoder, *args.decoder_before]]
        seen, steps = (before.get(k, 0) if args.continued else 0 for k in ("imagesSeen", "decoderSteps"))
        training |= {"decoderSteps": steps + sum(r["step"] for r in rows), "imagesSeen": seen + sum(r["images"] for r in rows),
                     "machine": args.machine}
    if args.sketch:
        sketch = Sketch()
        sketch.load_state_dict(load_half(args.sketch, "weights"))
        export_sketch(sketch, out, half)
        if not args.decoder:
            config = DecoderConfig(sketch=CHANNELS)
            projector = STProjector(config)
            load_projector(args.base, projector)
            export_projector(projector, config, out, half)
        seen = before.get("sketchImages", 0) if args.continued else 0
        training |= {"sketchImages": seen + sum(last_row(run)["images"] for run in [args.sketch, *args.sketch_before])}
    if args.prior:
        weights = load_half(args.prior, "weights")
        prior = Prior(bank=len(weights["bank"]) if "bank" in weights else 0)
        prior.load_state_dict(weights)
        export_prior(prior, out, half)
    if args.superres:
        training |= {"superResolutionSteps": sum(last_row(run)["step"] for run in [args.superres, *args.superres_before])}
        weights = load_half(args.superres, "weights")
        network = SuperResolution(sketch=CHANNELS if "sketch_in.weight" in weights else 0)
        network.load_state_dict(weights)
        export_super_resolution(network, out, half)
    if args.enlargement:
        enlargement = SuperResolution()
        enlargement.load_state_dict(load_half(args.enlargement, "weights"))
        export_super_resolution(enlargement, out, half, ENLARGEMENT_FILE)
        training |= {"enlargementSteps": last_row(args.enlargement)["step"]}
    if args.clip:
        encoder, head = ImageEncoder(), TextHead()
        encoder.load_state_dict(load_half(args.clip, "image"))
        head.load_state_dict(load_half(args.clip, "text"))
        export_image_encoder(encoder, out, half)
        replace_text_head(args.base, head, out)
    if args.text_head:
        head = TextHead()
        head.load_state_dict(load_half(args.text_head, "text"))
        replace_text_head(args.base, head, out)
    describe(args.base, out, args.id, args.name, training)
    write_card(out, args.results, args.core_minutes)
    largest = write_reference(out, reference_inputs(args.base, args.reference))
    print(json.dumps(largest, indent=1))
    print(f"{out}: {sum(f.stat().st_size for f in out.rglob('*') if f.is_file()) / 1e6:.1f} MB")


def open_pack(folder: Path) -> dict[str, nn.Module]:
    """All networks of a pack as PyTorch modules, for reference tensors and tests."""
    drawn = (folder / "sketch.onnx").is_file()
    config = DecoderConfig(sketch=CHANNELS if drawn else 0)
    nets: dict[str, nn.Module] = {"unet": Decoder(config), "image_encoder": ImageEncoder(), "prior": Prior(bank=bank_size(folder)),
                                  "super_resolution": SuperResolution(sketch=CHANNELS if reads_sketch(folder) else 0), "text_encoder": TextHead()}
    if drawn:
        nets["sketch"] = Sketch()
    if (folder / ENLARGEMENT_FILE).is_file():
        nets["enlargement"] = SuperResolution()
    for kind, module in nets.items():
        load_network(folder, kind, module)
    projector = STProjector(config)
    load_projector(folder, projector)
    return {k: m.eval() for k, m in (nets | {"st_projector": projector}).items()}


if __name__ == "__main__":
    main()
