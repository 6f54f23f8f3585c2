"""Build data/fashion_mnist.npz or data/mnist.npz from the four original IDX files.

Usage (the IDX files may be gzipped):

    python3 -m authoring.data fashion_mnist TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS
    python3 -m authoring.data mnist         TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS

Each file is checked against the SHA-256 of the original before anything is written, and the
archive appears in one step: it is written under a temporary name, then renamed.
"""

import argparse
import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

from utils.data import DATA_DIR, IDX_SHA256, KEYS, idx_header, write_npz


def read_idx(path, key, expected_sha256):
    """The array in one IDX file (gzipped or not), after checking its SHA-256.

    Raises ValueError if the file is not the original.
    """
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    found = hashlib.sha256(raw).hexdigest()
    if found != expected_sha256:
        raise ValueError(f"{path} is not the original {key}: SHA-256 {found}, not {expected_sha256}")
    shape = tuple(int.from_bytes(raw[4 + 4 * axis : 8 + 4 * axis], "big") for axis in range(raw[3]))
    array = np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
    assert raw.startswith(idx_header(shape))
    return array


def build(name, idx_paths, target):
    """Write the four arrays to `target` (an .npz path) with the keys x_train, y_train, x_test, y_test."""
    arrays = {
        key: read_idx(path, key, IDX_SHA256[name][key]) for key, path in zip(KEYS, idx_paths, strict=True)
    }
    write_npz(target, arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(IDX_SHA256))
    parser.add_argument("idx", nargs=4, metavar="IDX_FILE", help="in the order above")
    parser.add_argument("--output", type=Path, help="default: data/NAME.npz")
    args = parser.parse_args()
    target = args.output or DATA_DIR / f"{args.name}.npz"
    try:
        build(args.name, args.idx, target)
    except (OSError, ValueError) as error:
        sys.exit(f"authoring.data: {error}")
    print(f"wrote {target} ({target.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
