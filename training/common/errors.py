"""The one error that a stage shows to its user as a sentence instead of a traceback."""

from __future__ import annotations


class TrainingError(RuntimeError):
    """What happened and what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice
