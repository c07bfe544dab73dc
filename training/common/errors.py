"""The one error that a stage shows to its user as a sentence instead of a traceback."""

from __future__ import annotations

import sys
from types import TracebackType


class TrainingError(RuntimeError):
    """What happened and what to do about it."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}; {advice}")
        self.what = what
        self.advice = advice


def as_a_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Ends a command that met such an error with its sentence; anything else is a fault of ours and keeps its traceback."""
    if isinstance(error, TrainingError):
        print(f"error: {error.what}\n{error.advice}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = as_a_sentence
