"""One training loop for every stage: wall-clock budget, EMA, checkpoints, curves, sample sheets.

A stage says what is trained and what the loss of a step is; the loop does the rest. Its schedule follows the
clock (``minutes``), not a number of steps, so that a slice on any machine ends in time with its rate decayed.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import platform
import sys
import time
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from training.common.checkpoint import load_checkpoint, save_checkpoint, save_half
from training.common.errors import TrainingError
from training.common.machine import Machine, lower_priority, start


@dataclass(frozen=True)
class LoopConfig:
    """How a stage is trained. ``minutes`` is the whole run's budget, over all resumed slices. Above 1,
    ``average_every`` lets several processes run apart for that many steps and then means their weights.
    ``sheet_minutes`` 0 leaves the sample sheets out."""

    minutes: float = 60.0
    batch: int = 32
    rate: float = 4e-4
    final_rate: float = 0.01
    decay_from: float = 0.35
    warm_steps: int = 60
    weight_decay: float = 0.01
    ema: float = 0.999
    clip: float = 1.0
    seed: int = 1
    checkpoint_minutes: float = 5.0
    sheet_minutes: float = 15.0
    average_every: int = 1


class Stage(Protocol):
    """What the loop needs to know of a stage."""

    name: str
    config: Any
    module: nn.Module

    def loss(self, step: int, machine: Machine, batch: int) -> tuple[Tensor, dict[str, float]]:
        """Loss of this process's share of global batch ``step``, and figures to log."""

    def sheet(self, module: nn.Module, file: Path) -> None:
        """Writes a picture of what ``module`` (the averaged weights) can do."""


def rate_at(config: LoopConfig, fraction: float, step: int) -> float:
    """Warm-up by steps, then constant, then a half cosine down to ``final_rate`` of it at fraction 1."""
    warm = min(1.0, (step + 1) / config.warm_steps)
    if fraction <= config.decay_from:
        return config.rate * warm
    part = min(1.0, (fraction - config.decay_from) / (1 - config.decay_from))
    return config.rate * warm * (config.final_rate + (1 - config.final_rate) * 0.5 * (1 + math.cos(math.pi * part)))


def from_file(kind: type, file: Path | None, name: str) -> Any:
    """A config dataclass of type ``kind`` from section ``name`` of a JSON file; unknown keys are errors."""
    if file is None:
        return kind()
    try:
        whole = json.loads(file.read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise TrainingError(f"{file} cannot be read ({error})", "give a JSON file like those in training/configs") from error
    others = sorted(whole.keys() - {"loop", name}) if name != "loop" else []
    if others:
        raise TrainingError(f"{file} is meant for {', '.join(others)}, not for {name}", f"give a file with loop and {name}")
    return filled(kind, whole.get(name, {}), f"{file}: {name}")


def filled(kind: type, section: dict[str, Any], place: str) -> Any:
    """A config dataclass of type ``kind`` with the settings of ``section``, dataclasses inside it too."""
    known = [f.name for f in fields(kind)]
    made = {}
    for key, value in section.items():
        if key not in known:
            raise TrainingError(f"{place} has no setting {key}", f"known are {', '.join(known)}")
        default = getattr(kind(), key)
        made[key] = filled(type(default), value, f"{place}.{key}") if is_dataclass(default) else tuple(value) if isinstance(value, list) else value
    return kind(**made)


def same_run(found: str, stage: Stage) -> bool:
    """Whether a checkpoint's identity is that of a stage; settings that are newer than it had their defaults then."""
    name, config = json.loads(found)

    def complete(old: Any, default: Any) -> Any:
        if not (isinstance(old, dict) and isinstance(default, dict)):
            return old
        return {k: complete(old.get(k, v), v) for k, v in default.items()} | {k: v for k, v in old.items() if k not in default}

    return [name, complete(config, plain(type(stage.config)()))] == [stage.name, plain(stage.config)]


def plain(config: Any) -> dict[str, Any]:
    """A configuration as JSON gives it back."""
    return json.loads(json.dumps(asdict(config), default=str))


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The flags that every stage shares."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of this run; resumed if it has a checkpoint")
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"), help="prepared sprites and texts")
    parser.add_argument("--config", type=Path, help="JSON file, see training/configs")
    parser.add_argument("--minutes", type=float, help="budget of the whole run in minutes of wall-clock time")
    parser.add_argument("--steps", type=int, help="stop after this many steps instead")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="measure", choices=("measure", "fp32", "bf16"))
    parser.add_argument("--batch", type=int, help="global batch, shared by all processes")
    parser.add_argument("--average-every", type=int, help="with several processes: mean weights every so many steps")
    parser.add_argument("--idle", action="store_true", help="run at the lowest priority")
    return parser


def begin(args: argparse.Namespace) -> tuple[LoopConfig, Machine]:
    """Priority, loop configuration (file, then flags) and machine for parsed flags."""
    if args.idle:
        lower_priority()
    loop = from_file(LoopConfig, args.config, "loop")
    changes = {k: v for k, v in (("minutes", args.minutes), ("batch", args.batch),
                                     ("average_every", args.average_every)) if v is not None}
    loop = LoopConfig(**{**asdict(loop), **changes})
    args.run.mkdir(parents=True, exist_ok=True)
    return loop, start(args.device, args.precision)


class Progress:
    """Curves in ``curves.jsonl`` and a line on the terminal every so often."""

    def __init__(self, folder: Path, quiet: bool) -> None:
        self.file = folder / "curves.jsonl"
        self.quiet = quiet
        self.sums: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.since = time.monotonic()
        self.images = 0

    def add(self, figures: dict[str, float], images: int) -> None:
        for key, value in figures.items():
            self.sums[key] = self.sums.get(key, 0.0) + value
            self.counts[key] = self.counts.get(key, 0) + 1  # not every step has every figure
        self.images += images

    def report(self, step: int, images: int, elapsed: float, left: float) -> None:
        now = time.monotonic()
        row = {k: round(v / self.counts[k], 5) for k, v in self.sums.items()}
        row |= {"step": step, "images": images, "minutes": round(elapsed / 60, 2),
                "images_a_second": round(self.images / max(now - self.since, 1e-9), 2)}
        if not self.quiet:
            with self.file.open("a") as f:
                f.write(json.dumps(row) + "\n")
            shown = " ".join(f"{k} {v}" for k, v in row.items())
            print(f"{shown} left {left / 60:.0f} min", flush=True)
        self.sums, self.counts, self.since, self.images = {}, {}, now, 0


def describe(stage: Stage, loop: LoopConfig, machine: Machine, folder: Path) -> None:
    """Writes what is needed to repeat the run beside its weights."""
    config = asdict(stage.config) if is_dataclass(stage.config) else dict(stage.config)
    (folder / "run.json").write_text(json.dumps({
        "stage": stage.name, "arguments": sys.argv[1:], "config": config, "loop": asdict(loop), "device": str(machine.device),
        "precision": "bf16" if machine.bf16 else "fp32", "processes": machine.world, "threads": torch.get_num_threads(),
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "numpy": np.__version__},
        "machine": platform.processor() or platform.machine(),
        "parameters": sum(p.numel() for p in stage.module.parameters()),
    }, indent=1))


def train(stage: Stage, loop: LoopConfig, machine: Machine, folder: Path, max_steps: int | None = None) -> nn.Module:
    """Trains until the clock (or ``max_steps``) says stop; returns the averaged weights."""
    module = stage.module.to(machine.device)
    average = copy.deepcopy(module).requires_grad_(False).eval()
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=loop.rate, betas=(0.9, 0.99), weight_decay=loop.weight_decay, fused=True)
    step, images, before = 0, 0, 0.0
    identity = json.dumps([stage.name, plain(stage.config)], sort_keys=True)
    found = load_checkpoint(folder)
    if found:
        if not same_run(found["identity"], stage):
            raise TrainingError(f"{folder} holds a run of another configuration", "use another folder, or its config")
        module.load_state_dict(found["module"])
        average.load_state_dict(found["average"])
        optimiser.load_state_dict(found["optimiser"])
        step, images, before = found["step"], found["images"], found["elapsed"]
        print(f"resumed at step {step}, {images} images, {before / 60:.1f} of {loop.minutes:.1f} minutes used")
    if machine.leads:
        describe(stage, loop, machine, folder)
    average_pairs = (list(average.state_dict().values()), list(module.state_dict().values()))
    progress = Progress(folder, not machine.leads)
    began = time.monotonic()
    last_save, last_sheet, last_report = began, began, began

    def elapsed() -> float:
        return before + time.monotonic() - began

    def save() -> None:
        if machine.leads:
            save_checkpoint(folder, {"identity": identity, "module": module.state_dict(), "average": average.state_dict(),
                                     "optimiser": optimiser.state_dict(), "step": step, "images": images,
                                     "elapsed": elapsed()})
            save_half(average.state_dict(), folder, "weights")

    budget, first = loop.minutes * 60, step
    apart = max(loop.average_every, 1) if machine.world > 1 else 1
    while True:
        if step % apart == 0 and machine.agree(elapsed() >= budget or (max_steps is not None and step >= max_steps)):
            break
        fraction = elapsed() / budget if max_steps is None else step / max_steps
        for group in optimiser.param_groups:
            group["lr"] = rate_at(loop, fraction, step - first if found else step)
        torch.manual_seed(hash((loop.seed, step, machine.rank)) % 2**31)
        loss, figures = stage.loss(step, machine, loop.batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if apart == 1:
            machine.average_gradients(module)
        norm = torch.nn.utils.clip_grad_norm_(parameters, loop.clip)
        if not torch.isfinite(norm):
            print(f"step {step}: the gradient is not finite; the step is left out", flush=True)
        else:
            optimiser.step()
        if apart > 1 and (step + 1) % apart == 0:
            machine.average_weights(module)
        decay = min(loop.ema, (1 + step) / (10 + step)) if not found or step - first > 20 else loop.ema
        with torch.no_grad():
            floats = [(a, m) for a, m in zip(*average_pairs, strict=True) if a.is_floating_point()]
            torch._foreach_lerp_([a for a, _ in floats], [m for _, m in floats], 1 - decay)
        step += 1
        images += loop.batch
        progress.add({"loss": float(loss.detach()), "grad": min(float(norm), 1e3), **figures}, loop.batch)
        now = time.monotonic()
        if step % 50 == 0 or now - last_report > 60:
            progress.report(step, images, elapsed(), budget - elapsed())
            last_report = now
        if now - last_save > loop.checkpoint_minutes * 60:
            save()
            last_save = now
        if machine.leads and 0 < loop.sheet_minutes * 60 < now - last_sheet:
            stage.sheet(average, folder / f"sheet-{images:08d}.png")
            last_sheet = now
    if progress.counts:
        progress.report(step, images, elapsed(), 0)
    save()
    if machine.leads and loop.sheet_minutes > 0:
        stage.sheet(average, folder / f"sheet-{images:08d}.png")
    return average
