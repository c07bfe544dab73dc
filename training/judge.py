"""Trains the judge, a second CLIP used only to score: other architecture, seed and augmentation.

    python -m training.judge --run training/runs/judge --minutes 6
"""

from __future__ import annotations

from training.clip import main

if __name__ == "__main__":
    main("judge", __doc__)
