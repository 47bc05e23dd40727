"""Classes on which the model does worse than on the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assay.diagnose.case import Case
from assay.diagnose.excess import SliceTest, excess_loss
from assay.diagnose.spec import Remedy, Search, Suspicion
from assay.evidence import Evidence
from assay.tables.predicate import Mask, Predicate

CODE = "AS103"
EFFECT = "loss of the class less that of the others"
FEWEST = 5
LEVEL = 0.2
"""One-sided level at which the discovery part suggests a class."""


@dataclass(frozen=True)
class ClassDetector:
    """Compares each class's rows with all others, and says what they are taken for.

    Attributes
    ----------
    test
        What classes are suggested and confirmed by.
    """

    name: str = "classes"
    test: SliceTest = excess_loss
    codes: Mapping[str, str] = field(
        default_factory=lambda: {CODE: "a class on which the model does worse"}
    )

    def detect(self, part: Case) -> Search:
        """Return the classes that cost more on the discovery part."""
        what = "each class against the others"
        if part.task.kind == "regression":
            return Search(0, what, skipped="a regression has no classes")
        suspicions = []
        looked = 0
        for name in part.task.class_names:
            mask = part.truth == name
            if mask.sum() < FEWEST:
                continue
            looked += 1
            found = self.test(part, mask, name=EFFECT)
            if found is not None and found.p_value is not None and found.p_value < LEVEL:
                suspicions.append(_suspicion(part, name, self.test))
        return Search(looked, what, tuple(suspicions))

    def again(
        self, case: Case, code: str, about: Sequence[str], predicate: Predicate | None
    ) -> Evidence | None:
        """Return the effect of the class that a frozen finding is about."""
        return self.test(case, case.truth == about[0], name=EFFECT)


def _suspicion(part: Case, name: str, test: SliceTest) -> Suspicion:
    def select(case: Case) -> Mask:
        mask: Mask = case.truth == name
        return mask

    def confirm(unseen: Case) -> Evidence | None:
        return test(unseen, select(unseen), name=EFFECT)

    mask = part.truth == name
    share = float(mask.mean())
    wrong = Counter(part.predictions[mask & (part.predictions != name)].tolist())
    taken = f", most often taken for {wrong.most_common(1)[0][0]!r}" if wrong else ""
    rare = share < 0.5 / len(part.task.class_names)
    remedies = [
        Remedy("collect", f"collect or label more rows of {name!r}"),
        Remedy("reweight", "weigh the class more in training", value=name),
    ]
    if rare:
        words = f"make rows of it: assay synth --for-class {name!r}"
        remedies.append(Remedy("synthesise", words, value=name))
    cause = "the class is rare" if rare else "the inputs hardly tell it from another class"
    return Suspicion(
        code=CODE,
        title=f"class {name!r}{taken}",
        cause=f"{cause} ({share:.1%} of the rows)",
        confirm=confirm,
        select=select,
        remedies=tuple(remedies),
        about=(name,),
    )
