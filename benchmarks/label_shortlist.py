"""A shortlist on 77 classes: what it saves a model elsewhere, and what it does to accuracy.

The classes nearest to a row by embedding are listed, the model chooses among them. Tokens are
those of the requests, by the rule of thumb of ``assay label --dry-run``. Accuracy is the embedded
model's, whose kept answers (of ``label.py``) are cut to the lists: alone, and with similarity and
the linear student, without gold.
"""

from __future__ import annotations

import numpy as np

from assay.config import cache_dir
from assay.label import LabelSettings
from assay.label.rows import read_rows
from assay.label.single.annotators import ModelAnnotator, instructions
from assay.label.single.nearness import Shortlist, SimilarityAnnotator
from assay.label.single.scores import Codes, Scores
from assay.label.single.student import parts_of, taught
from assay.ledger import Ledger
from assay.llm import Gateway, Prompt
from common import arguments, print_result
from label_sets import load

LENGTHS = (77, 30, 20, 10, 5)
ELSEWHERE = "http://localhost:9/v1#any"
"""Stands for any chat model; it is not asked."""


def cut(raw: Scores, owner: Codes, lists: Codes, wordings: int) -> Scores:
    """Return log-probabilities of phrases as they are among the listed classes alone."""
    listed = (owner[None, :, None] == lists[:, None, :]).any(axis=2)
    out = []
    for each in np.split(raw, wordings, axis=1):
        some = np.where(listed, each, -np.inf)
        out.append(some - np.logaddexp.reduce(some, axis=1, keepdims=True))
    return np.concatenate(out, axis=1)


def main() -> None:
    quick = arguments(__doc__).quick
    data = load("banking77")
    if data is None:
        print_result(skipped="ASSAY_DATA holds no banking77_test")
        return
    table = data.rows.sample(1500, shuffle=True, seed=0).head(300 if quick else 1000)
    rows, task = read_rows(table.select("text"), data.task)
    names = task.class_names
    truth = np.array([names.index(each) for each in table[task.target]])
    settings, words = LabelSettings(), [each.words for each in task.classes]
    folder = cache_dir() / "benchmarks"
    folder.mkdir(exist_ok=True)
    found = {}
    with (
        Ledger.open(folder / "label-banking77.sqlite") as ledger,
        Gateway(ledger, unpriced_ok=True) as gateway,
    ):
        model = ModelAnnotator.of(task, settings.models[0], gateway, settings)
        nearness = SimilarityAnnotator(task, settings.embed)
        raw, _ = model.ask(rows.texts, gateway)
        near, _ = nearness.ask(rows.texts, gateway)
        similarity = nearness.settled(near).scores(near)
        plain = gateway.embed(settings.embed, rows.texts, columns=("text",)).astype(np.float64)
        parts = parts_of(rows.texts)
        for length in LENGTHS:
            lists = Shortlist(nearness, length).of(rows.texts, gateway)
            some = cut(raw, model.owner, lists, len(model.wordings))
            said = model.settled(some).scores(some)
            votes = said + similarity
            student = taught(votes, plain, parts)
            assert student is not None
            final = votes + student.weight * student.scores(plain, parts)
            whole = length == len(words)
            told = instructions(task) if whole else "Classify texts."
            options = words if whole else [[words[code] for code in row] for row in lists]
            prompts = [Prompt(told, each) for each in rows.texts]
            asked = gateway.estimate(ELSEWHERE, prompts, options)
            found[length] = {
                "holds_the_right_class": float((lists == truth[:, None]).any(axis=1).mean()),
                "model_alone": float((said.argmax(axis=1) == truth).mean()),
                "with_the_others": float((final.argmax(axis=1) == truth).mean()),
                "tokens_a_row": asked.tokens_in / len(rows),
            }
            print(length, found[length], flush=True)
    print_result(benchmark="label_shortlist", rows=len(rows), lengths=found)


if __name__ == "__main__":
    main()
