"""How long ``import assay``, ``assay --help`` and ``--version`` take on a warm cache."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from statistics import median

RUN = "from assay.cli import main; main()"
COMMANDS = {
    "bare_python": [sys.executable, "-c", "pass"],
    "import_assay": [sys.executable, "-c", "import assay"],
    "assay_help": [sys.executable, "-c", RUN, "--help"],
    "assay_version": [sys.executable, "-c", RUN, "--version"],
}
HEAVY = ("torch", "sklearn", "polars", "scipy", "sqlalchemy", "tokenizers", "pandas")


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def heavy_modules(code: str) -> list[str]:
    """Return which heavy packages are imported by running ``code``."""
    report = f"{code}; import sys; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", report], check=True, capture_output=True, text=True
    )
    found: list[str] = json.loads(done.stdout.strip().splitlines()[-1].replace("'", '"'))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 3 if parser.parse_args().quick else 11
    took: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(rounds + 1):
        for name, command in COMMANDS.items():
            took[name].append(seconds(command))
    found: dict[str, object] = {
        f"{name}_seconds": round(median(each[1:]), 3) for name, each in took.items()
    }
    found["heavy_on_import"] = heavy_modules("import assay")
    found["heavy_on_help"] = heavy_modules("import assay.cli")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
