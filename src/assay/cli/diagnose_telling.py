"""What ``assay diagnose`` says on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.cli.output import console

if TYPE_CHECKING:
    from assay.diagnose.spec import Diagnosis
    from assay.diagnose.strategies.tried import Fixes
    from assay.evidence import Evidence


def tell(found: Diagnosis) -> None:
    """Print a diagnosis."""
    from rich.text import Text

    from assay.label.shown import visible

    out = console()
    out.print(
        f"mean {found.loss} {found.mean_loss:.4f} on {found.n:,} rows; searched on "
        f"{found.discovery:,}, confirmed on the other {found.confirmation:,}",
        highlight=False,
    )
    for line in filter(None, (found.sampling, _STOPPED if found.stopped else "")):
        out.print(line, highlight=False, style="yellow")
    if not found.findings:
        out.print("Nothing was confirmed.")
    for place, each in enumerate(found.findings):
        out.print(Text(f"\n{each.code} {visible(each.title)}", style="bold"))
        out.print(
            Text(
                f"  {each.severity}; {each.size:,} rows; {each.share:.0%} of the loss; effect "
                f"{_effect(each.effect)}, adjusted p = {each.p_adjusted:.2g}\n  {each.cause}"
            )
        )
        for why in () if found.explained is None else found.explained.of(place):
            out.print(Text(f"  why: {visible(why.name)}. {visible(why.words)}", style="green"))
            if why.effect is not None:
                tested = f"{visible(why.test)}: {_effect(why.effect)}"
                out.print(Text(f"       on {tested}", style="dim"))
        for remedy in each.remedies:
            out.print(Text(f"  could help: {remedy.words}", style="dim"))
    _tell_strategies(found)
    _tell_dropped(found)
    out.print()
    for looked in found.looked:
        line = f"{looked.detector}: {looked.looked_at:,} looked at ({looked.what}), "
        line += f"{looked.suspected} suspected, {looked.confirmed} confirmed"
        out.print(Text(line + (f"; {looked.skipped}" if looked.skipped else ""), style="dim"))


MOST_STRATEGIES = 5


def _tell_strategies(found: Diagnosis) -> None:
    from rich.text import Text

    from assay.label.shown import visible

    if not found.strategies:
        return
    out = console()
    out.print(
        "\nWhat to try first, by expected gain for its cost; none of it is proven", style="bold"
    )
    for each in found.strategies[:MOST_STRATEGIES]:
        gain = "gain not known" if each.gain is None else f"loss -{each.gain:.4f} expected"
        by = "--try runs it" if each.runs else "for people"
        out.print(Text(f"  {each.kind}: {visible(each.words)}"))
        about = f"{each.code} {visible(found.findings[each.finding].title)}"
        line = f"    {about}; {gain}, {told_minutes(each.minutes)}; {by}"
        out.print(Text(line, style="dim"))


def told_minutes(minutes: float) -> str:
    """Return minutes, or hours where they are many."""
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _tell_dropped(found: Diagnosis) -> None:
    from rich.text import Text

    from assay.label.shown import visible

    if found.explained is None:
        return
    out, model = console(), found.explained.model
    for each in found.explained.dropped:
        line = f"{model} also said, not borne out: {visible(each.name)}: {each.dropped}"
        out.print(Text(line, style="dim"))
    for reason in found.explained.skipped:
        out.print(Text(f"not explained: {visible(reason)}", style="yellow"))


_STOPPED = (
    "Stopped early: the detectors that are not listed did not run; nothing was explained or tried."
)


def shown_share(share: Evidence) -> str:
    """Return a share with its interval."""
    low, high = share.interval.low, share.interval.high
    return f"{share.estimate:.0%} of {share.n} tries [{low:.0%}, {high:.0%}]"


def tell_fixes(found: Fixes) -> None:
    """Print what came of each fix that was tried."""
    from rich.text import Text

    from assay.label.shown import visible

    out = console()
    out.print("\nWhat was tried", style="bold")
    if not found.fixes:
        out.print("No finding suggests an edit of the recipe.")
    for each in found.fixes:
        out.print(Text(f"{each.verdict:>9}  {visible(each.name)}"))
        parts = [f"on all search rows {_effect(each.on_all)}"]
        if each.on_slice is not None:
            parts.append(f"on the finding's rows, which flatter, {_effect(each.on_slice)}")
        out.print(Text(f"           {each.code}: {'; '.join(parts)}", style="dim"))
    for again in found.splits:
        out.print(Text(f"{again.by:>9}  {visible(again.words)}"))
        told = f"{again.scores}; change {_effect(again.change)}, each model of as many rows"
        out.print(Text(f"           {again.code}: {told}", style="dim"))
    if found.confirmed is not None:
        out.print(Text(f"on the vault, all that was kept together: {_effect(found.confirmed)}"))


def _effect(found: Evidence) -> str:
    from assay.evidence.figures import effect_text

    return effect_text(found)
