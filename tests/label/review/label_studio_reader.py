"""Run as a program, with Label Studio's own package: FOLDER...

Each folder holds what an export wrote (``tasks.json``, ``tasks.xml``) and ``annotated.json``, the
same tasks as they come back. Prints one JSON object: by folder, what the package refuses.
"""

import copy
import json
import sys
from pathlib import Path
from typing import Any


def refused(folder: Path) -> list[str]:
    from label_studio_sdk.label_interface import LabelInterface

    tasks, annotated = (
        json.loads((folder / f"{name}.json").read_text()) for name in ("tasks", "annotated")
    )
    interface: Any = LabelInterface((folder / "tasks.xml").read_text())
    interface.validate()
    found = []
    for number, (task, back) in enumerate(zip(tasks, annotated, strict=True)):
        if not interface.validate_task({"data": task["data"]}):
            found.append(f"task {number}")
        prediction = task["predictions"][0]
        found += interface.validate_prediction(prediction, return_errors=True)
        if not all(interface.validate_annotation(each) for each in back["annotations"]):
            found.append(f"annotation {number}")
    wrong = copy.deepcopy(tasks[0]["predictions"][0])
    wrong["result"][-1]["from_name"] = "nothing"
    return found if not interface.validate_prediction(wrong) else [*found, "nothing is refused"]


if __name__ == "__main__":
    print(json.dumps({each: refused(Path(each)) for each in sys.argv[1:]}))
