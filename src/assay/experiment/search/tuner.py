"""Optuna as the sampler: what to try next, given what was tried.

The ledger is the record of what was tried; the study lives in memory and is told again from it.
Optuna's own tables could not share the ledger's database: both keep their version in a table of
the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from assay.errors import InputError, MissingExtraError
from assay.experiment.search.space import Choice, Dimension, Family, Real, Whole

Sampler = Literal["tpe", "random"]

FAMILY = "family"
LEADERS = 4
STARTUP = 12
"""Tries before the density estimate is trusted more than chance; the portfolio fills most."""


class Tuner:
    """Proposes a family and values for its space.

    Parameters
    ----------
    families
        What can be proposed.
    seed
        Of the sampler.
    sampler
        ``tpe`` (Bergstra et al. 2011, multivariate) or ``random``.

    Raises
    ------
    MissingExtraError
        Without the ``experiment`` extra.
    """

    def __init__(
        self, families: tuple[Family, ...], *, seed: int, sampler: Sampler = "tpe"
    ) -> None:
        optuna = _optuna()
        self._families = {each.name: each for each in families}
        self._study = optuna.create_study(direction="maximize", sampler=_sampler(seed, sampler))
        self._asked: dict[str, Any] = {}
        self._best: dict[str, float] = {}
        self._turn = 0 if sampler == "tpe" else None

    def ask(self) -> tuple[Family, dict[str, Any], str]:
        """Return a family, values to try, and the handle to tell the score under."""
        self._give_a_turn()
        trial = self._study.ask()
        name = trial.suggest_categorical(FAMILY, list(self._families))
        family = self._families[name]
        values = {key: _suggest(trial, f"{name}:{key}", each) for key, each in family.space.items()}
        handle = f"asked-{trial.number}"
        self._asked[handle] = trial
        return family, values, handle

    def tell(
        self, family: str, values: Mapping[str, Any], score: float | None, handle: str | None = None
    ) -> None:
        """Learn what some values scored, greater is better; None where they failed.

        Without a ``handle`` the values came from elsewhere: the portfolio, or an earlier
        session. What lies outside the space teaches nothing.
        """
        if score is not None:
            self._best[family] = max(score, self._best.get(family, score))
        optuna = _optuna()
        failed, done = optuna.trial.TrialState.FAIL, optuna.trial.TrialState.COMPLETE
        trial = None if handle is None else self._asked.pop(handle, None)
        if trial is not None:
            self._study.tell(trial, score, state=failed if score is None else done)
            return
        if score is None or family not in self._families:
            return
        space = self._families[family].space
        distributions = {FAMILY: _distribution(Choice(tuple(self._families)))}
        distributions |= {f"{family}:{key}": _distribution(each) for key, each in space.items()}
        known = {FAMILY: family, **{f"{family}:{key}": values.get(key) for key in space}}
        try:
            told = optuna.trial.create_trial(params=known, distributions=distributions, value=score)
        except ValueError:
            return
        self._study.add_trial(told)

    def _give_a_turn(self) -> None:
        """Let every second proposal be of one of the best families in turn.

        Left alone the sampler stays with the leader, and a blend lives on different models.
        """
        if self._turn is None or len(self._best) < 2:
            return
        self._turn += 1
        if self._turn % 2:
            leaders = sorted(self._best, key=lambda each: -self._best[each])[:LEADERS]
            known = [each for each in leaders if each in self._families]
            if known:
                self._study.enqueue_trial({FAMILY: known[self._turn // 2 % len(known)]})


def checked_sampler(given: str) -> Sampler:
    """Return ``given`` when it is a sampler; raise an InputError when not."""
    for each in get_args(Sampler):
        if given == each:
            return each  # type: ignore[no-any-return]
    raise InputError("sampler is not known.", given=given, allowed=", ".join(get_args(Sampler)))


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("The engine of the search (Optuna)", "experiment") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _sampler(seed: int, sampler: Sampler) -> Any:
    import warnings

    optuna = _optuna()
    if sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # these options are marked experimental
        return optuna.samplers.TPESampler(
            seed=seed,
            n_startup_trials=STARTUP,
            multivariate=True,
            group=True,
            constant_liar=True,
        )


def _distribution(each: Dimension) -> Any:
    from optuna import distributions

    match each:
        case Real(low, high, log):
            return distributions.FloatDistribution(low, high, log=log)
        case Whole(low, high, log):
            return distributions.IntDistribution(low, high, log=log)
        case Choice(options):
            return distributions.CategoricalDistribution(options)


def _suggest(trial: Any, name: str, each: Dimension) -> Any:
    match each:
        case Real(low, high, log):
            return _rounded(trial.suggest_float(name, low, high, log=log))
        case Whole(low, high, log):
            return trial.suggest_int(name, low, high, log=log)
        case Choice(options):
            return trial.suggest_categorical(name, options)


def _rounded(value: float) -> float:
    """Return three significant digits: a recipe is made to be read."""
    return float(f"{value:.3g}")
