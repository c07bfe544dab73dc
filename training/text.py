"""Sentence embeddings of every caption that training needs, computed once and kept in a small file.

    python -m training.text --encoder PACK --world training/runs/world [--scenes 6000]

PACK is a pack folder (its text_encoder.onnx holds MiniLM), or a folder with MiniLM's model.onnx and tokenizer.json.
On a machine that has only PyTorch the file is enough: nothing is tokenised there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.common.checkpoint import written_whole
from training.common.errors import TrainingError
from training.world.scene import SceneOptions, make_scene
from training.world.sprites import SpriteAtlas
from training.world.vocabulary import COLOURS, concepts, names, settings

BOOK_FILE = "sentences.npz"
CLIP_SCENES_SEED = 11
MAX_TOKENS = 48


class SentenceEncoder:
    """The frozen sentence encoder (MiniLM, mean pooled, unit length) in ONNX Runtime."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        model = next((folder / n for n in ("text_encoder.onnx", "model.onnx") if (folder / n).is_file()), None)
        if model is None or not (folder / "tokenizer.json").is_file():
            raise TrainingError(f"{folder} has no text encoder", "give a pack folder, or MiniLM's model.onnx and tokenizer.json")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(str(model), options)
        self.names = [o.name for o in self.session.get_outputs()]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)

    def run(self, texts: list[str]) -> dict[str, np.ndarray]:
        """All outputs for texts, each on its own: int8 MiniLM depends a little on its neighbours in a batch."""
        rows: dict[str, list[np.ndarray]] = {name: [] for name in self.names}
        wanted = {i.name for i in self.session.get_inputs()}
        for text in texts:
            ids = np.array([self.tokenizer.encode(text.lower()).ids], np.int64)
            feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            for name, value in zip(self.names, self.session.run(None, {k: v for k, v in feed.items() if k in wanted}),
                                   strict=True):
                rows[name].append(value[0])
        return {name: np.stack(r) for name, r in rows.items() if r[0].ndim == 1} | (
            {} if "sentence_embeds" in rows else {"sentence_embeds": np.stack([pool(r) for r in rows[self.names[0]]])})

    def __call__(self, texts: list[str]) -> np.ndarray:
        """Unit-length sentence embeddings [n, 384] float32."""
        return self.run(texts)["sentence_embeds"].astype(np.float32)


def pool(states: np.ndarray) -> np.ndarray:
    """Mean of the token states [tokens, 384], made unit length."""
    mean = states.reshape(-1, states.shape[-1]).mean(0)
    return mean / np.linalg.norm(mean)


class PhraseBook:
    """Text -> sentence embedding, from the prepared file and, where there is one, an encoder for the rest."""

    def __init__(self, texts: list[str], vectors: np.ndarray, encoder: SentenceEncoder | None = None) -> None:
        self.at = {text: i for i, text in enumerate(texts)}
        self.vectors = [v for v in vectors.astype(np.float32)]
        self.encoder = encoder

    def __call__(self, texts: list[str]) -> Tensor:
        """[n, 384] float32, unit length."""
        missing = [t for t in dict.fromkeys(texts) if t not in self.at]
        if missing:
            if self.encoder is None:
                raise TrainingError(f"no sentence embedding was prepared for “{missing[0]}”",
                                    "give --encoder PACK (or MiniLM's folder), or run python -m training.text with more --scenes")
            for text, vector in zip(missing, self.encoder(missing), strict=True):
                self.at[text] = len(self.vectors)
                self.vectors.append(vector)
        return torch.from_numpy(np.stack([self.vectors[self.at[t]] for t in texts]))

    @staticmethod
    def load(world: Path, encoder: Path | None = None) -> PhraseBook:
        file = world / BOOK_FILE
        if not file.is_file():
            raise TrainingError(f"{file} is missing", "run python -m training.text first")
        with np.load(file) as data:
            return PhraseBook(list(data["texts"]), data["vectors"], SentenceEncoder(encoder) if encoder else None)

    def save(self, world: Path) -> Path:
        file = world / BOOK_FILE
        vectors = np.stack(self.vectors)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        with written_whole(file) as temporary:
            np.savez_compressed(temporary, texts=np.array(list(self.at)), vectors=vectors.astype(np.float16))
        return file


SPOKEN = ("the {name}", "one {name}", "a small {name}", "a big {name}", "a cute {name}", "a picture of {one}")
"""Ways to write a plain name, bare or with its article."""


def with_article(name: str) -> str:
    """"a crab", "an owl"; names that begin with a capital or a digit stay bare."""
    if not name or not name[0].islower():
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def spoken(name: str, plain: bool) -> tuple[str, ...]:
    """How artists write a thing's name: with its article; a ``plain`` one, without colour, in other ways too."""
    one = with_article(name)
    return (one, *(form.format(name=name, one=one) for form in SPOKEN)) if plain else (one,)


def said(name: str, share: float, rng: np.random.Generator) -> str:
    """A thing's name or tag, in a share of cases as artists write it."""
    if rng.random() >= share:
        return name
    ways = spoken(name, name in names())
    return ways[int(rng.integers(len(ways)))]


PLACED: dict[str, tuple[str, ...]] = {
    "a": ("{setting}", "a {setting}", "the {setting}", "in the {setting}", "on a {setting}", "at the {setting}"),
    "": ("{setting}", "in {setting}", "{setting} scene"),
}
"""Ways to write a setting that takes an article ("a beach at night"), and one that takes none ("underwater")."""
JOINED: tuple[str, ...] = ("{things} {place}", "{things}, {place}", "{place} with {things}")


def spoken_setting(setting: str, rng: np.random.Generator) -> str:
    """A setting as artists write it."""
    ways = PLACED["" if setting.split(" ")[0] in ("plain", "underwater", "starry") or "background" in setting else "a"]
    return ways[int(rng.integers(len(ways)))].format(setting=setting)


def whole_caption(setting: str, things: list[str], rng: np.random.Generator) -> str:
    """A scene told completely: its setting and every one of ``things``, in words that artists use.

    Whatever a caption leaves out, a prior that learnt from it makes up, and the decoder paints it somewhere."""
    place = spoken_setting(setting, rng)
    if not things:
        return place
    named = [with_article(things[i]) if rng.random() < 0.5 else things[i] for i in rng.permutation(len(things))]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    return JOINED[int(rng.integers(len(JOINED)))].format(things=listed, place=place)


def segment_phrases() -> list[str]:
    """Everything a segment can be called: labels, labels with colours, synonyms, and how these are written."""
    labels = [c.label for c in concepts()]
    coloured = [f"{k} {n}" for k in COLOURS for n in labels]
    tags = [t for c in concepts() for t in c.tags]
    ways = [w for n in labels for w in spoken(n, True)] + [w for n in (*coloured, *tags) for w in spoken(n, False)]
    return list(dict.fromkeys(labels + coloured + tags + ways))


def clip_scene_captions(atlas: SpriteAtlas, options: SceneOptions, count: int) -> list[str]:
    """Captions of the scenes that CLIP and the prior train on (they are determined by their index)."""
    return [make_scene(atlas, options, np.random.default_rng([CLIP_SCENES_SEED, i])).caption for i in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--world", type=Path, default=Path("training/runs/world"))
    parser.add_argument("--scenes", type=int, default=6000)
    args = parser.parse_args()
    encoder = SentenceEncoder(args.encoder)
    atlas = SpriteAtlas.load(args.world)
    texts = segment_phrases() + settings() + clip_scene_captions(atlas, clip_world(), args.scenes)
    texts = list(dict.fromkeys(texts))
    file = PhraseBook(texts, encoder(texts)).save(args.world)
    print(f"{file}: {len(texts)} sentences, {file.stat().st_size / 1e6:.1f} MB")


def clip_world() -> SceneOptions:
    """Scenes for CLIP, prior and judge: all four sprite sets."""
    return SceneOptions(styles=(0, 1, 2, 3), keep_segment=1.0)


if __name__ == "__main__":
    main()
