"""How often does the loop confirm a bundle when every proposal is useless?

Each seed draws 400 labelled rows of Reuters R8, and offers edits that cannot help: embeddings
that are noise, duplicated rows, rows left out at random, relabelled rows. Beside the gate stands
the rule that many tools use: keep an edit when its cross-validated mean rose.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from assay import Project
from assay.demo import reuters
from assay.improve import ImproveResult, improve
from assay.recipe import Embedding, Observation, Proposal, Recipe
from common import arguments, print_result

NOISE_WIDTH = 16
Edit = Callable[[Recipe], Recipe]


class ScriptedNoise:
    """Embeds each text as numbers drawn from its own checksum: they mean nothing."""

    name = "scripted:noise"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return an (n, 16) float32 array of unit length."""
        drawn = [
            np.random.default_rng(zlib.crc32(text.encode())).normal(size=NOISE_WIDTH)
            for text in texts
        ]
        vectors = np.asarray(drawn, dtype=np.float32)
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


class UselessSource:
    """Offers eight edits, none of which can help."""

    name = "useless"

    def propose(self, observation: Observation) -> Iterator[Proposal]:
        """Yield noise, duplicates, random omissions and shuffled labels."""
        yield self._proposal("noise", _with_noise)
        for number, share in enumerate((0.1, 0.2, 0.3)):
            seed = observation.seed + number
            copies = observation.search.sample(fraction=share, seed=seed).drop("row_id")
            artefact = observation.ledger.put_table(copies, name="copies.parquet")
            yield self._proposal(f"duplicates {share:.0%}", _with_rows("extra", artefact))
        for number, share in enumerate((0.05, 0.1, 0.2)):
            seed = observation.seed + 10 + number
            left_out = observation.search.sample(fraction=share, seed=seed).select("row_id")
            artefact = observation.ledger.put_table(left_out, name="left-out.parquet")
            yield self._proposal(f"left out {share:.0%}", _with_rows("dropped", artefact))
        target = observation.task.target
        some = observation.search.sample(fraction=0.2, seed=observation.seed)
        shuffled = some.select("row_id", pl.col(target).shuffle(seed=observation.seed))
        artefact = observation.ledger.put_table(shuffled, name="shuffled.parquet")
        yield self._proposal("shuffled labels", _with_rows("relabelled", artefact))

    def _proposal(self, name: str, edit: Edit) -> Proposal:
        return Proposal(name, "none", "rule:useless", edit)


def _with_noise(recipe: Recipe) -> Recipe:
    noise = Embedding(column="text", model=ScriptedNoise.name)
    return recipe.with_features(*recipe.features, noise)


def _with_rows(field: str, artefact: str) -> Edit:
    def edit(recipe: Recipe) -> Recipe:
        present = getattr(recipe.rows, field)
        rows = recipe.rows.model_copy(update={field: (*present, artefact)})
        return recipe.model_copy(update={"rows": rows})

    return edit


def run(seed: int, folder: Path) -> ImproveResult:
    """Return a whole run on useless proposals alone."""
    project = Project.create(folder, reuters.sample(seed), task=reuters.TASK, seed=seed)
    # A better-than-plain start: a proposal that happens to loosen the model would help it.
    project.save_recipe(project.recipe.with_parameters(C=100.0))
    models = {ScriptedNoise.name: ScriptedNoise()}
    return improve(project, sources=[UselessSource()], models=models)


def main() -> None:
    """Run the seeds and print one JSON object."""
    options = arguments(__doc__)
    seeds = range(4 if options.quick else 20)
    results = []
    for seed in seeds:
        folder = Path(tempfile.mkdtemp(prefix="assay-null-"))
        try:
            results.append(run(seed, folder / "project"))
        finally:
            shutil.rmtree(folder)
        kept = [each.name for each in results[-1].kept]
        print(f"seed {seed}: kept {kept or 'nothing'}, confirmed {results[-1].improved}")
    gains = [each.verdict.main.estimate for one in results for each in one.attempts]
    print_result(
        runs=len(results),
        proposals=len(gains),
        kept_by_the_gate=sum(len(each.kept) for each in results),
        kept_if_the_mean_rose=sum(gain > 0 for gain in gains),
        bundles_confirmed=sum(each.improved for each in results),
    )


if __name__ == "__main__":
    main()
