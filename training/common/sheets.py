"""Contact sheets of pictures, so that a person can see what the figures say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from torch import Tensor


def to_uint8(images: Tensor) -> np.ndarray:
    """[b, 3, h, w] in -1..1 -> [b, h, w, 3] uint8."""
    return ((images.float().clamp(-1, 1) + 1) * 127.5 + 0.5).byte().permute(0, 2, 3, 1).cpu().numpy()


def write_sheet(file: Path, rows: list[Tensor], labels: Tensor | None = None, side: int = 128) -> None:
    """Writes columns of pictures; the first row carries the outlines of ``labels`` [b, h, w]."""
    strips = []
    for r, row in enumerate(rows):
        cells = []
        for i, picture in enumerate(to_uint8(row)):
            cell = cv2.resize(picture, (side, side), interpolation=cv2.INTER_NEAREST)
            if r == 0 and labels is not None:
                big = cv2.resize(labels[i].cpu().numpy().astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
                for k in range(1, int(big.max()) + 1):
                    lines = cv2.findContours((big == k).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
                    cv2.drawContours(cell, lines, -1, (255, 0, 255), 1)
            cells.append(cell)
        strips.append(cells)
    per = min(len(strips[0]), 8)
    lines = [np.concatenate(strip[i:i + per], 1) for i in range(0, len(strips[0]), per) for strip in strips]
    width = max(line.shape[1] for line in lines)
    lines = [np.pad(line, ((0, 0), (0, width - line.shape[1]), (0, 0))) for line in lines]
    cv2.imwrite(str(file), np.concatenate(lines)[..., ::-1])
