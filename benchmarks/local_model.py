"""How fast the embedded models run here, against what this machine's matrix units can do.

The share counts two floating-point operations a token and parameter outside the embedding, over
all tokens read (prompts whole, nothing shared), against the rate of a large square product in
the same number type, measured just before and just after each run. Medians of interleaved runs.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable
from statistics import median

import torch

from assay.llm.local import LocalModel, SentenceEmbedder
from assay.llm.prompt import Example, Prompt
from common import peak_mebibytes

WORDS = ["market", "said", "profit", "rose", "oil", "wheat", "bank", "rate", "trade", "year"]
OPTIONS = ["positive", "negative"]
SQUARE = 2048


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def gflops(rows: int, inner: int, columns: int, dtype: torch.dtype, repeats: int = 9) -> float:
    """Return the rate of one product of this shape."""
    left = torch.randn(rows, inner).to(dtype)
    right = torch.randn(inner, columns).to(dtype)
    with torch.inference_mode():
        left @ right
        took = median(seconds(lambda: left @ right) for _ in range(repeats))
    return 2e-9 * rows * inner * columns / took


def texts(count: int, words: int, seed: int = 0) -> list[str]:
    generator = random.Random(seed)  # noqa: S311
    return [" ".join(generator.choices(WORDS, k=words)) for _ in range(count)]


def measure_rate(model: LocalModel, rows: int, rounds: int) -> dict[str, float]:
    prompts = [Prompt("Say which topic the text is about.", text) for text in texts(rows, 78)]
    tokens = int(model.count_tokens(prompts).sum())
    dtype, per_token = model.decoder.dtype, 2e-9 * model.decoder.shape.block_parameters
    model.choose(prompts, OPTIONS, reuse_prefix=False)
    speeds, squares, shares = [], [], []
    for _ in range(rounds):
        before = gflops(SQUARE, SQUARE, SQUARE, dtype)
        took = seconds(lambda: model.choose(prompts, OPTIONS, reuse_prefix=False))
        square = (before + gflops(SQUARE, SQUARE, SQUARE, dtype)) / 2
        speeds.append(tokens / took)
        squares.append(square)
        shares.append(per_token * tokens / took / square)
    shape = model.decoder.shape
    return {
        "tokens_per_prompt": tokens / rows,
        "tokens_per_second": median(speeds),
        "square_gflops": median(squares),
        "layer_shape_gflops": gflops(SQUARE, shape.width, 2 * shape.inner, dtype),
        "share_of_square": median(shares),
        "best_share_of_square": max(shares),
    }


def measure_prefix(model: LocalModel, rows: int, rounds: int) -> dict[str, float]:
    examples = tuple(Example(text, "positive") for text in texts(8, 60, seed=1))
    prompts = [
        Prompt("Say which topic the text is about.", text, examples) for text in texts(rows, 60)
    ]
    shared, whole = [], []
    for _ in range(rounds):
        shared.append(seconds(lambda: model.choose(prompts, OPTIONS)))
        whole.append(seconds(lambda: model.choose(prompts, OPTIONS, reuse_prefix=False)))
    return {
        "prefix_prompt_tokens": float(model.count_tokens(prompts).mean()),
        "prefix_rows_per_second": rows / median(shared),
        "prefix_gain": median(whole) / median(shared),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows and rounds")
    quick = parser.parse_args().quick
    rows, rounds = (60, 3) if quick else (240, 7)
    LocalModel.load()  # prepares it the first time
    found: dict[str, object] = {"threads": torch.get_num_threads()}
    models: list[LocalModel] = []
    found["load_seconds"] = seconds(lambda: models.append(LocalModel.load()))
    model = models[0]
    found["dtype"] = str(model.decoder.dtype)
    found |= measure_rate(model, rows, rounds)
    found |= measure_prefix(model, 60, max(3, rounds // 2))
    embedder = SentenceEmbedder.load()
    sentences = texts(rows * 4, 60)
    embedder.embed(sentences)
    took = median(seconds(lambda: embedder.embed(sentences)) for _ in range(rounds))
    found["embedded_texts_per_second"] = len(sentences) / took
    found["peak_memory_mib"] = peak_mebibytes()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
