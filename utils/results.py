"""Stored results of experiments that are longer than a lesson.

A chapter whose full experiment is too slow for a lesson runs a part of it live. `course.py full NN`
runs the chapter with COURSE_FULL=1, where it does all of it and saves what it found in
data/results/; every other run loads that file.
"""

import json
import os

from utils.data import DATA_DIR, DataFileError

FULL = os.environ.get("COURSE_FULL") == "1"
RESULTS_DIR = DATA_DIR / "results"


def save_results(name, results, directory=RESULTS_DIR):
    """Write `results` (a JSON-able dict) to `directory`/`name`.json, all of it or nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_results(name, directory=RESULTS_DIR):
    """What `save_results` stored. Raises DataFileError if it is missing or not readable."""
    path = directory / f"{name}.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataFileError(
            f"{path} cannot be read ({error}): restore it with `git checkout -- data/results`"
        ) from None
