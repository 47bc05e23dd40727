"""The loop: observe, propose, screen, keep or drop, confirm once, report."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

import polars as pl

from assay.errors import AssayError, BudgetError, VaultError
from assay.evidence.power import Plan
from assay.evidence.vault import Confirmation
from assay.improve.events import (
    Confirming,
    Listener,
    Passed,
    Planned,
    Progress,
    ProposalStarted,
    Screened,
    SourceStarted,
)
from assay.improve.observe import observe
from assay.improve.run import Run
from assay.improve.screen import Screener
from assay.improve.spec import Attempt, Skipped
from assay.llm import Budget, Gateway
from assay.project import Project
from assay.project.building import confirm
from assay.recipe import (
    Proposal,
    ProposalSource,
    Recipe,
    Tools,
)


@dataclass
class Loop:
    """One run in progress. ``incumbent`` is the best recipe so far, by screening."""

    project: Project
    run: Run
    gateway: Gateway
    tools: Tools
    budget: Budget
    tell: Listener
    search: pl.DataFrame
    pool: pl.DataFrame
    baseline: Recipe
    incumbent: Recipe
    attempts: list[Attempt] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tried: set[tuple[str, str]] = field(default_factory=set)
    plan: Plan | None = None
    stopped: str | None = None
    started: float = field(default_factory=time.monotonic)

    def tell_plan(self) -> None:
        """Say what so many rows can show; a run that goes on repeats what it said first."""
        recorded = self.run.ledger.find("event", f"plan:{self.run.id}")
        if recorded is None:
            self.plan = self.project.plan()
            self.run.event("plan", asdict(self.plan))
        else:
            self.plan = Plan(**recorded.body)
        self.tell(Planned(self.plan))

    def look_for_copies(self) -> None:
        """Warn where search rows are near copies of locked ones: the vault would flatter."""
        copies = self.project.vault().overlap(self.search)
        if len(copies):
            share = len(copies) / self.search.height
            self.warnings.append(
                f"{len(copies)} search rows ({share:.0%}) are near copies of locked rows, so the "
                "vault's figure may flatter on rows unlike these"
            )
            self.run.event("copies", {"rows": copies.to_list()})

    def screen_all(self, sources: Iterable[ProposalSource]) -> None:
        """Ask every source, screen every proposal, and move the incumbent to what is kept."""
        for source in sources:
            if self._out_of_time():
                return
            self.tell(SourceStarted(source.name))
            try:
                self._screen_source(source)
            except BudgetError as error:
                self.stopped = str(error)
                self._pass_over(source.name, error)
            except AssayError as error:
                self._pass_over(source.name, error)

    def _screen_source(self, source: ProposalSource) -> None:
        observation = observe(
            self.project,
            source,
            self.incumbent,
            search=self.search,
            pool=self.pool,
            gateway=self.gateway,
            ledger=self.run.ledger,
        )
        started = time.monotonic()
        for proposal in source.propose(observation):
            if self._out_of_time():
                return
            self._screen(proposal, source.name, started)
            started = time.monotonic()

    def _screen(self, proposal: Proposal, source: str, started: float) -> None:
        after = proposal.apply(self.incumbent)
        if after == self.incumbent or (self.incumbent.hash, after.hash) in self.tried:
            return  # it changes nothing, or another source proposed the same
        self.tried.add((self.incumbent.hash, after.hash))
        judged = [each.verdict.main.p_value for each in self.attempts]
        earlier = tuple(p for p in judged if p is not None)
        screener = Screener(self.project, self.run, self.search, self.tools, earlier)
        attempt = screener.recorded(proposal, self.incumbent, after)
        if attempt is None:
            self.tell(ProposalStarted(proposal.name, proposal.rationale))
            try:
                attempt = screener.screen(
                    proposal,
                    source,
                    self.incumbent,
                    after,
                    step=lambda done, total: self.tell(Progress("fits", done, total)),
                    started=started,
                )
            except AssayError as error:
                self._pass_over(proposal.name, error)
                return
        self.attempts.append(attempt)
        if attempt.verdict.kept:
            self.incumbent = after
        self.tell(Screened(attempt))

    def _pass_over(self, name: str, error: AssayError) -> None:
        id_ = self.run.event("skipped", {"name": name, "reason": str(error)})
        self.skipped.append(Skipped(name, str(error), id_))
        self.tell(Passed(self.skipped[-1]))

    def _out_of_time(self) -> bool:
        minutes = self.budget.minutes
        if minutes is not None and time.monotonic() - self.started > 60 * minutes:
            self.stopped = f"the budget of {minutes:g} minutes was reached"
        return self.stopped is not None

    def confirm(self) -> Confirmation | None:
        """Look at the vault once, for the whole bundle; nothing kept needs no look."""
        if self.incumbent == self.baseline:
            return None
        self.tell(Confirming())
        try:
            return confirm(
                self.project, self.baseline, self.incumbent, tools=self.tools, run=self.run.id
            )
        except VaultError as error:
            self._pass_over("confirm on the vault", error)
            return None
