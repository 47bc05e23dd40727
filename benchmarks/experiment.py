"""The search against peers: same splits, same seconds, on real tables and texts.

Contestants: ``default`` (scikit-learn's HistGradientBoosting as it is), ``random`` (random search
over our own space), ``assay`` (the recipe chosen, built on all training rows once the vault's look
is over), ``best`` (the recipe that scored best, which the one-standard-error rule may have passed
over), ``saved`` (the project's recipe as the search left it, built on the search rows), and
``flaml`` and ``autogluon`` where ``--flaml PYTHON`` and ``--autogluon PYTHON`` name interpreters
that have them. Optimism is what a contestant claimed less what the test rows show; of ``saved`` the
claim is the vault's figure.

A cell is a set, a seed, a limit of seconds and a contestant. With ``--out`` every cell is kept when
it is over and none is done twice, so ``--cells 5`` a day adds up:

    python benchmarks/experiment.py --sets hmda --seeds 1 --seconds 60 --only assay --out FILE
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice, product
from pathlib import Path

from common import print_result
from experiment_contestants import OTHERS, Contestant, Split, contestants
from experiment_results import Place, Results, markdown
from experiment_sets import BY_NAME, QUICK, SETS


def main() -> None:
    options = _options()
    if options.table:
        results = Results(options.table)
        print(*(markdown(results, each) for each in options.seconds), sep="\n\n")
        return
    results = Results(options.out)
    for place, contestant in islice(_cells(options, results), options.cells):
        name, seed, seconds = place
        found = contestant(Split.of(BY_NAME[name], seed), seconds)
        results.add(place, found)
        for each, outcome in found.items():
            print(name, seed, f"{seconds:g}", each, json.dumps(asdict(outcome)), flush=True)
    print_result(**results.as_dict())


def _cells(options: argparse.Namespace, results: Results) -> Iterator[tuple[Place, Contestant]]:
    """Yield what was asked for and is not known yet."""
    asked = {name: getattr(options, name) for name in OTHERS if getattr(options, name)}
    taking_part = contestants(asked, random=not options.without_random)
    missing = set(options.only) - set(taking_part)
    if missing:
        raise SystemExit(f"no such contestant: {', '.join(missing)}; of {', '.join(taking_part)}")
    for seed, seconds, name in product(options.seeds, options.seconds, options.sets):
        for who, contestant in taking_part.items():
            wanted = not options.only or who in options.only
            if wanted and not results.holds((name, seed, seconds), who):
                yield (name, seed, seconds), contestant


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="three sets, one seed, 20 seconds")
    parser.add_argument("--seconds", type=float, nargs="*", default=[60.0], help="one or more")
    parser.add_argument("--seeds", type=int, default=3, help="the seeds from 0 to one less")
    parser.add_argument("--seed", type=int, nargs="*", help="these seeds instead")
    parser.add_argument(
        "--sets", nargs="*", choices=list(BY_NAME), default=[each.name for each in SETS]
    )
    parser.add_argument("--only", nargs="*", default=[], help="these contestants")
    parser.add_argument("--cells", type=int, help="at most so many cells, then stop")
    parser.add_argument("--without-random", action="store_true", help="leave random search out")
    for name in OTHERS:
        parser.add_argument(f"--{name}", metavar="PYTHON", help=f"an interpreter that has {name}")
    parser.add_argument("--out", type=Path, help="results, kept cell by cell; none is done twice")
    parser.add_argument("--table", type=Path, help="print kept results as Markdown, run nothing")
    options = parser.parse_args()
    options.seeds = range(options.seeds) if options.seed is None else options.seed
    if options.quick:
        options.sets, options.seeds, options.seconds = list(QUICK), [0], [20.0]
    return options


if __name__ == "__main__":
    main()
