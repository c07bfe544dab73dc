"""A small pack from nothing in a given time: every stage in turn, each with its share of the budget.

    python -m training.all --out training/runs/small --budget 2h --base PACK --icons training/data/node_modules

Stages that are finished are skipped, so an interrupted run goes on where it stopped. ``--init-from-base`` starts
from the base pack's weights instead of nothing (CLIP is then taken over).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from training.common.errors import TrainingError
from training.enlarge import HUGE_SPRITES
from training.superres import LARGE_SPRITES
from training.world.sprites import ATLAS_SIZE
from training.world.vocabulary import SPRITE_SETS

SHARES: dict[str, float] = {"clip": 0.14, "prior": 0.06, "drawing": 0.12, "sketch": 0.1, "decoder": 0.34, "superres": 0.07, "enlarge": 0.05, "segmenter": 0.05, "judge": 0.07}
"""Of the budget, by stage; the rest of the time goes to preparing and exporting."""
SKETCHED = Path(__file__).with_name("configs") / "decoder-sketch.json"
DRAWN = Path(__file__).with_name("configs") / "drawing.json"


@dataclass(frozen=True)
class Step:
    """One command and the file that exists once it is done."""

    name: str
    arguments: list[str]
    done: Path


def parse_budget(text: str) -> float:
    """Minutes of "2h", "90m", "1h30m" or "45"."""
    found = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m?)?", text.strip())
    if not found or not any(found.groups()):
        raise TrainingError(f"“{text}” is not a time", "write it like 2h, 90m or 1h30m")
    return 60 * float(found[1] or 0) + float(found[2] or 0)


def plan(out: Path, minutes: float, base: Path, icons: Path, device: str, from_pack: bool) -> list[Step]:
    """The steps in order."""
    world = out / "world"
    common = ["--world", str(world), "--device", device]
    shares = {k: v for k, v in SHARES.items() if not (from_pack and k == "clip")}
    total = sum(shares.values())
    source = ["--init-from", str(base)] if from_pack else ["--clip", str(out / "clip")]

    def stage(name: str, *extra: str) -> Step:
        spent = f"{minutes * 0.94 * shares[name] / total:.2f}"
        return Step(name, [f"training.{name}", "--run", str(out / name), "--minutes", spent, *common, *extra],
                    out / name / "done")

    def large(name: str, size: int) -> Step:
        return Step(f"sprites of {size} px", ["training.world.sprites", "--icons", str(icons), "--out", str(world), "--name", name,
                                              "--sets", SPRITE_SETS[0], "--size", str(size)], world / name)

    steps = [Step("sprites", ["training.world.sprites", "--icons", str(icons), "--out", str(world), "--size", str(ATLAS_SIZE)],
                  world / "sprites-twemoji.npz"),
             large(LARGE_SPRITES, 256), large(HUGE_SPRITES, 640),
             Step("sentences", ["training.text", "--encoder", str(base), "--world", str(world)], world / "sentences.npz")]
    if not from_pack:
        steps.append(stage("clip", "--encoder", str(base)))
    sketch = ["--sketch", str(out / "sketch")]
    steps += [stage("prior", *source, "--encoder", str(base)), stage("drawing", *source, "--config", str(DRAWN)),
              stage("sketch", *source, "--drawing", str(out / "drawing")),
              stage("decoder", *source, *sketch, "--config", str(SKETCHED)),
              stage("superres", *source, *sketch, "--decoder", str(out / "decoder")),
              stage("enlarge", "--superres", str(out / "superres")), stage("judge", "--encoder", str(base)),
              stage("segmenter", "--judge", str(out / "judge"))]
    pack = out / "pack"
    steps.append(Step("export", ["training.export", "--out", str(pack), "--id", out.name.lower(), "--name", f"SpaText, {out.name}",
                                 "--base", str(base), "--decoder", str(out / "decoder"), *sketch, "--prior", str(out / "prior"), "--superres", str(out / "superres"),
                                 "--enlargement", str(out / "enlarge"), *(["--continued"] if from_pack else ["--clip", str(out / "clip")])],
                      pack / "reference" / "reference.json"))
    steps.append(Step("evaluation", ["training.evaluate_world", "--packs", str(pack), "--judge", str(out / "judge"), "--segmenter",
                                     str(out / "segmenter"), "--world", str(world), "--scenes", "10", "--scales", "1.3/1.3",
                                     "--chained", "--enlarged", "--out", str(out / "evaluation")],
                      out / "evaluation" / "table.md"))
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--budget", default="2h")
    parser.add_argument("--base", type=Path, required=True, help="a pack: its MiniLM and tokenizer are used in any case")
    parser.add_argument("--icons", type=Path, default=Path("node_modules"))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--init-from-base", action="store_true", help="start every stage from the base pack's weights")
    args = parser.parse_args()
    for step in plan(args.out, parse_budget(args.budget), args.base, args.icons, args.device, args.init_from_base):
        if step.done.exists():
            print(f"{step.name}: done before")
            continue
        print(f"{step.name}: python -m {' '.join(step.arguments)}", flush=True)
        code = subprocess.run([sys.executable, "-m", *step.arguments], check=False).returncode
        if code:
            raise SystemExit(f"{step.name} stopped with code {code}; run the same command again to go on from there")
        if step.done.name == "done":
            step.done.touch()


if __name__ == "__main__":
    main()
