"""Trains the judge, a second CLIP used only to score: other architecture, seed and augmentation.

    python -m training.judge --run training/runs/judge --minutes 6
"""

from __future__ import annotations

import json
from pathlib import Path

from training.clip import ClipModule, ClipTraining, main
from training.common.checkpoint import load_half
from training.world.scene import SceneOptions


def load_judge(folder: Path) -> ClipModule:
    """A finished run's towers, in evaluation mode."""
    config = ClipTraining(**{**json.loads((folder / "run.json").read_text())["config"], "world": SceneOptions()})
    module = ClipModule(config).eval()
    module.image.load_state_dict(load_half(folder, "image"))
    module.text.load_state_dict(load_half(folder, "text"))
    return module


if __name__ == "__main__":
    main("judge", __doc__)
