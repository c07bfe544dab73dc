"""Checkpoints: written whole or not at all, the one before kept, and refused when of another configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.common.errors import TrainingError

PIECE_BYTES = 15_000_000


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Writes ``latest.pt`` by way of a temporary file; the last good one becomes ``previous.pt``."""
    temporary, latest = folder / "writing.pt", folder / "latest.pt"
    try:
        with temporary.open("wb") as f:
            torch.save(state, f)
            f.flush()
            os.fsync(f.fileno())
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"the checkpoint could not be written ({error})",
                            f"free some space; the last good one is {latest}") from error
    if latest.exists():
        latest.replace(folder / "previous.pt")
    temporary.replace(latest)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest readable checkpoint of a run, or None where there is none yet."""
    problems = []
    for name in ("latest.pt", "previous.pt"):
        file = folder / name
        if not file.exists():
            continue
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # noqa: BLE001  any damage means: try the one before
            problems.append(f"{name}: {error}")
    if problems:
        raise TrainingError(f"no checkpoint in {folder} can be read ({'; '.join(problems)})", "start a new run folder")
    return None


@contextmanager
def written_whole(file: Path) -> Iterator[Path]:
    """A temporary place beside ``file``, with its ending, that takes its place at the end; nothing is left of a failure."""
    temporary = file.with_name(f"writing-{file.name}")
    try:
        yield temporary
        temporary.replace(file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TrainingError(f"{file} could not be written ({error})", "free some space; what was there before is untouched") from error


def save_half(weights: dict[str, torch.Tensor], folder: Path, name: str) -> list[Path]:
    """Half-precision weights in pieces of at most 15 MB: ``name-0.npz``, ``name-1.npz``, ..."""
    pieces: list[dict[str, np.ndarray]] = [{}]
    used = 0
    for key, tensor in weights.items():
        value = tensor.detach().cpu().to(torch.float16 if tensor.is_floating_point() else tensor.dtype).numpy()
        if used and used + value.nbytes > PIECE_BYTES - 300_000:
            pieces.append({})
            used = 0
        pieces[-1][key] = value
        used += value.nbytes
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for i, piece in enumerate(pieces):
        file = folder / f"{name}-{i}.npz"
        with written_whole(file) as temporary:
            np.savez(temporary, **piece)
        files.append(file)
    for old in folder.glob(f"{name}-*.npz"):
        if old not in files:
            old.unlink()
    return files


def load_half(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """Float32 weights from the pieces of ``save_half``."""
    files = sorted(folder.glob(f"{name}-*.npz"), key=lambda f: int(f.stem.rsplit("-", 1)[1]))
    if not files:
        raise TrainingError(f"{folder} holds no weights called {name}", "give the folder of a finished stage")
    out: dict[str, torch.Tensor] = {}
    for file in files:
        with np.load(file) as data:
            out |= {key: torch.from_numpy(data[key].astype(np.float32) if data[key].dtype == np.float16 else data[key])
                    for key in data.files}
    return out
