"""Every command: its name, its home, and its line of help."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command's function or Typer application lives, as ``module:name``."""

    home: str
    help: str


COMMANDS: dict[str, Command] = {
    "init": Command("assay.cli.init:init", "Make a project from a table and lock its vault."),
    "label": Command("assay.cli.label:label", "Label rows, with a guarantee."),
    "improve": Command("assay.cli.improve:improve", "Improve the recipe and prove it."),
    "plan": Command("assay.cli.plan:plan", "Plan an experiment from a sentence."),
    "experiment": Command(
        "assay.cli.experiment:experiment", "Search for the best recipe and prove it."
    ),
    "experiments": Command("assay.cli.experiments:experiments", "The leaderboard of a search."),
    "synth": Command("assay.cli.synth:synth", "Make rows, and keep them if they help."),
    "diagnose": Command("assay.cli.diagnose:app", "Find where the model fails, and confirm."),
    "report": Command("assay.cli.report:report", "Show a run again; write it as HTML."),
    "ask": Command("assay.cli.ask:ask", "Answer a question by code that was run first."),
    "predict": Command("assay.cli.predict:predict", "Predict rows with the project's recipe."),
    "review": Command("assay.cli.review:app", "Check labels; what you find counts."),
    "gate": Command("assay.cli.gate:gate", "Compare two prediction files; for CI."),
    "vault": Command("assay.cli.vault:app", "The locked rows: status, retire, renew."),
    "log": Command("assay.cli.log:log", "List what the ledger holds."),
    "show": Command("assay.cli.show:show", "Show a ledger entry, or explain a row's label."),
    "models": Command("assay.cli.models:app", "List language models; try one."),
    "spend": Command("assay.cli.spend:app", "What language models have cost."),
    "batches": Command("assay.cli.batches:app", "List and cancel batches at providers."),
    "cache": Command("assay.cli.cache:app", "Show and prune caches."),
    "privacy": Command("assay.cli.privacy:app", "What may leave this machine."),
    "suspects": Command("assay.cli.suspects:suspects", "List labels that look wrong."),
    "guidelines": Command("assay.cli.guidelines:guidelines", "Draft clearer class descriptions."),
    "demo": Command("assay.cli.demo:demo", "Run the main job on real data."),
    "assets": Command("assay.cli.assets:app", "List and fetch the embedded files."),
    "version": Command("assay.cli.version:version", "Print the versions that matter."),
}
