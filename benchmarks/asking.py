"""How often a question in other words than the book's finds its recipe, and how fast."""

from __future__ import annotations

import argparse
import json
import runpy
import tempfile
import time
from pathlib import Path

from assay.ask import EMBED_MODEL
from assay.ask.given import made_up
from assay.ask.shelf import nearest, recipe_book
from assay.ask.trying import try_snippet
from assay.ledger import Ledger
from assay.llm import Gateway

QUESTIONS = Path(__file__).parents[1] / "tests" / "ask" / "questions.py"
SHOWN = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="time three recipes, not all")
    quick = parser.parse_args().quick
    book = recipe_book()
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger.open(Path(folder) / "ledger.sqlite") as ledger,
        Gateway(ledger) as gateway,
    ):
        places = []
        for question, wanted in runpy.run_path(str(QUESTIONS))["QUESTIONS"].items():
            found = nearest(gateway, EMBED_MODEL, question, book, SHOWN)
            right = [each.title.startswith(wanted) for each, _ in found]
            places.append(right.index(True) if True in right else None)
    seconds, kept = [], 0
    for recipe in book[:3] if quick else book:
        began = time.perf_counter()
        kept += try_snippet(recipe, made_up(recipe.needs)).met
        seconds.append(time.perf_counter() - began)
    figures = {
        "recipes": len(book),
        "tried": len(seconds),
        "kept": kept,
        "median_seconds": round(sorted(seconds)[len(seconds) // 2], 2),
        "questions": len(places),
        "first_right": places.count(0),
        "one_of_four_right": sum(place is not None for place in places),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
