"""SetFit on gold rows, run by its own environment's Python: FOLDER SEED STEPS.

Reads from FOLDER ``minilm-config``, ``minilm-tokenizer`` and ``minilm-weights`` (the files of the
sentence encoder) and ``asked.json`` (``gold``: texts and labels; ``rows``: texts); writes the rows'
labels to ``setfit.json``. SetFit's own settings and head; STEPS is its ``max_steps``, -1 for all.
Of longer texts the encoder reads the first 128 tokens, as it did when it was trained.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

TOKENS = 128
FILES = {
    "config": "config.json",
    "weights": "model.safetensors",
    "tokenizer": "tokenizer.json",
}


def encoder(folder: Path) -> Any:
    """Return the encoder as sentence-transformers wants it: mean pooling, unit length."""
    from sentence_transformers import SentenceTransformer, models
    from transformers import PreTrainedTokenizerFast

    made = folder / "encoder"
    made.mkdir()
    for name, called in FILES.items():
        shutil.copy(folder / f"minilm-{name}", made / called)
    marks = {f"{each}_token": f"[{each.upper()}]" for each in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(made / "tokenizer.json"), model_max_length=TOKENS, **marks
    )
    tokenizer.backend_tokenizer.no_padding()  # the file pads every text to 128 tokens
    tokenizer.save_pretrained(made)
    words = models.Transformer(str(made), max_seq_length=TOKENS)
    size = words.get_word_embedding_dimension()
    return SentenceTransformer(modules=[words, models.Pooling(size), models.Normalize()])


def main() -> None:
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments
    from sklearn.linear_model import LogisticRegression

    folder, seed, steps = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    asked = json.loads((folder / "asked.json").read_text())
    names = sorted(set(asked["gold"]["label"]))
    codes = [names.index(each) for each in asked["gold"]["label"]]
    gold = Dataset.from_dict({"text": asked["gold"]["text"], "label": codes})
    model: Any = SetFitModel(encoder(folder), model_head=LogisticRegression(max_iter=1000))
    settings = TrainingArguments(
        output_dir=str(folder / "setfit"),
        seed=seed,
        max_steps=steps,
        save_strategy="no",
        report_to="none",
    )
    Trainer(model=model, args=settings, train_dataset=gold).train()
    said = [names[int(code)] for code in model.predict(asked["rows"])]
    (folder / "setfit.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main()
