"""Where proposals come from: sources registered as entry points, in a fixed order."""

from __future__ import annotations

from importlib.metadata import entry_points

from assay.errors import InputError
from assay.recipe import ProposalSource

GROUP = "assay.sources"
ORDER = (
    *("label", "label_errors", "features", "derived_features", "written_features", "synth"),
    *("findings", "class_weights", "regularisation", "estimators", "threshold"),
)
"""Built-in sources come in this order; others follow, by name."""


def registered_sources() -> tuple[ProposalSource, ...]:
    """Return one instance of every registered source.

    Raises
    ------
    InputError
        When a registered source cannot be imported, or has no ``propose``.
    """
    found = {each.name: each for each in entry_points(group=GROUP)}
    names = [name for name in ORDER if name in found] + sorted(set(found) - set(ORDER))
    return tuple(_instance(name, found[name].load) for name in names)


def _instance(name: str, load: object) -> ProposalSource:
    try:
        source = load()()  # type: ignore[operator]
    except Exception as error:
        raise InputError(
            f"The proposal source {name!r} could not be loaded: {error}.",
            next_step="reinstall the package that registers it, or uninstall it",
        ) from error
    if not isinstance(source, ProposalSource):
        raise InputError(
            f"The proposal source {name!r} has no name and propose(observation).",
            given=type(source).__name__,
        )
    return source
