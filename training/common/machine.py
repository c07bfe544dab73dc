"""The machine a stage runs on: device, precision (measured, not guessed), processes, idle priority."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from training.common.errors import TrainingError


@dataclass(frozen=True)
class Machine:
    """Where and how to compute. ``rank`` of ``world`` processes share each global batch."""

    device: torch.device
    bf16: bool
    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def autocast(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16)

    def average_gradients(self, module: nn.Module) -> None:
        """Means the gradients over all processes, as one flat vector."""
        if self.world == 1:
            return
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        dist.all_reduce(flat)
        flat /= self.world
        at = 0
        for g in grads:
            g.copy_(flat[at:at + g.numel()].view_as(g))
            at += g.numel()

    def average_weights(self, module: nn.Module) -> None:
        """Means the weights over all processes (local SGD): for cores that others use too, where waiting for the
        slowest at every step would waste most of the time."""
        if self.world == 1:
            return
        with torch.no_grad():
            flat = torch.cat([p.reshape(-1) for p in module.parameters()])
            dist.all_reduce(flat)
            flat /= self.world
            at = 0
            for p in module.parameters():
                p.copy_(flat[at:at + p.numel()].view_as(p))
                at += p.numel()

    def agree(self, value: bool) -> bool:
        """True on every process as soon as it is on the first: all of them stop at the same step."""
        if self.world == 1:
            return value
        flag = torch.tensor([int(value)], device=self.device)
        dist.broadcast(flag, 0)
        return bool(flag.item())


def lower_priority() -> None:
    """Leaves the machine to whoever needs it: idle class, nice 19, and the autogroup that Linux puts us in."""
    os.nice(19)
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        Path(f"/proc/{os.getpid()}/autogroup").write_text("19")
    except (OSError, AttributeError):
        pass  # not Linux, or not allowed: plain niceness is what there is


def conv_rate(device: torch.device, bf16: bool) -> float:
    """Training convolutions a second of a small typical layer, after one warm-up."""
    layer = nn.Conv2d(128, 128, 3, padding=1).to(device, memory_format=torch.channels_last)
    x = torch.randn(16, 128, 16, 16, device=device).contiguous(memory_format=torch.channels_last).requires_grad_()
    best = 0.0
    for _ in range(4):
        start = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            layer(x).sum().backward()
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = max(best, 1 / (time.perf_counter() - start))
    return best


def start(device: str, precision: str = "measure") -> Machine:
    """Picks the device and precision and joins the other processes if ``accelerate launch`` started several."""
    world, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if device == "cuda" and not torch.cuda.is_available():
        raise TrainingError("no CUDA device is visible", "use --device cpu")
    where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if device == "cuda" else torch.device(device)
    if world > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if device == "cuda" else "gloo")
    if device == "cuda":
        torch.cuda.set_device(where)
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    if precision == "measure":
        fp32, bf16 = conv_rate(where, False), conv_rate(where, True)
        use = bf16 > fp32 * 1.1
        if world > 1:
            flag = torch.tensor([int(use)], device=where)
            dist.broadcast(flag, 0)
            use = bool(flag.item())
        if rank == 0:
            print(f"3x3 convolutions a second: fp32 {fp32:.0f}, bf16 {bf16:.0f}; training in {'bf16' if use else 'fp32'}")
    else:
        use = precision == "bf16"
    return Machine(where, use, rank, world)
