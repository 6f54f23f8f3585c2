"""Fashion-MNIST, MNIST and two texts from the files in data/, and minibatch indices.

Nothing is downloaded. No deep learning framework is imported.
"""

import hashlib
import os
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.arguments import check_positive_int, check_probability

DATA_DIR = Path(__file__).resolve().parent.parent / "data"
KEYS = ("x_train", "y_train", "x_test", "y_test")
SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}
# SHA-256 of the original, uncompressed IDX files.
IDX_SHA256 = {
    "fashion_mnist": {
        "x_train": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "y_train": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "x_test": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "y_test": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    "mnist": {
        "x_train": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "y_train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "x_test": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "y_test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
}
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DIGIT_CLASSES = tuple("0123456789")
# The characters of the texts, in the order of their numbers.
ALPHABET = "\n !\"&'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz"
# SHA-256 of the texts, unpacked.
TEXT_SHA256 = {
    "milton": "1561901d94ad8cd09c833c6f258d3390e5014c266a97587ac68a1d2959031e20",
    "shakespeare": "62b80f4ccdd0dbee798fc4a26fbe825ea145ce4239c7bc9f8fb0c55c487ff952",
}


RESTORE = "take it from the course again (`git checkout -- data`, or its ZIP), or see data/README.md"


class DataFileError(Exception):
    """A data file is missing, damaged or not what it should be. The message says which and what to do."""


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images and labels as arrays in memory.

    Attributes
    ----------
    x_train, x_val, x_test : float32 arrays of shape (n, 28, 28), grey levels in [0, 1]
    y_train, y_val, y_test : int64 arrays of shape (n,), class numbers 0..9
    class_names : tuple of 10 strings
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple

    def __repr__(self):
        sizes = f"train={len(self.x_train)}, val={len(self.x_val)}, test={len(self.x_test)}"
        return f"ImageDataset({sizes}, image 28x28, {len(self.class_names)} classes)"


def load_fashion_mnist(*, num_train=None, num_val=0, label_noise=0.0, seed=0, directory=DATA_DIR):
    """Fashion-MNIST (Xiao, Rasul & Vollgraf 2017): 60,000 training and 10,000 test images of clothes.

    Parameters
    ----------
    num_train : int or None
        Keep this many training images: a random, stratified subset. None keeps all that `num_val` leaves.
    num_val : int
        Set this many of the 60,000 training images aside for validation: random, stratified,
        disjoint from the training subset. 0 gives empty x_val and y_val.
    label_noise : float in [0, 1]
        Share of the training labels to replace by a class drawn uniformly from all ten. A tenth of
        those keep their class by chance. Validation and test labels stay clean.
    seed : int
        Seed of the subset, the split and the noise.
    directory : path
        Where fashion_mnist.npz lies.

    Returns
    -------
    ImageDataset

    Raises
    ------
    DataFileError
        The file is missing, truncated, altered or not readable.
    ValueError
        An argument is out of range.
    """
    return _load("fashion_mnist", FASHION_CLASSES, num_train, num_val, label_noise, seed, directory)


def load_mnist(*, num_train=None, num_val=0, label_noise=0.0, seed=0, directory=DATA_DIR):
    """MNIST (LeCun, Cortes & Burges): 60,000 training and 10,000 test images of handwritten digits.

    Parameters, return value and errors are those of `load_fashion_mnist`; the file is mnist.npz.
    """
    return _load("mnist", DIGIT_CLASSES, num_train, num_val, label_noise, seed, directory)


def load_text(name, directory=DATA_DIR):
    """The plays of Shakespeare or Milton's Paradise Lost, as character numbers.

    Parameters
    ----------
    name : "shakespeare" (37 plays in alphabetical order, 4.8 million characters) or "milton" (0.5 million)
    directory : path
        Where shakespeare.txt.xz and milton.txt.xz lie.

    Returns
    -------
    int64 array of shape (characters,): each character's place in ALPHABET

    Raises
    ------
    DataFileError
        The file is missing, damaged or not the course's own.
    ValueError
        There is no text of this name.
    """
    if name not in TEXT_SHA256:
        raise ValueError(f"name must be one of {', '.join(TEXT_SHA256)}, got {name!r}")
    import lzma  # not everywhere: a browser fetches it when it is asked for

    path = Path(directory) / f"{name}.txt.xz"
    try:
        raw = lzma.decompress(path.read_bytes())
    except FileNotFoundError:
        raise DataFileError(f"{path} is missing: {RESTORE}") from None
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataFileError(f"{path} cannot be read ({error}): {RESTORE}") from None
    if hashlib.sha256(raw).hexdigest() != TEXT_SHA256[name]:
        raise DataFileError(f"{path} is not the original text (SHA-256 differs): {RESTORE}")
    numbers = np.full(256, -1, np.int64)
    numbers[np.frombuffer(ALPHABET.encode("ascii"), np.uint8)] = np.arange(len(ALPHABET))
    return numbers[np.frombuffer(raw, np.uint8)]


def minibatches(n, batch_size, rng):
    """Yield index arrays that visit each of `n` examples once, in random order.

    The last batch holds what is left: n % batch_size examples if that is not 0, else batch_size.

    Parameters
    ----------
    n, batch_size : int
    rng : numpy.random.Generator

    Yields
    ------
    int64 array of shape (batch_size,), the last one possibly shorter
    """
    n = check_positive_int("n", n)
    batch_size = check_positive_int("batch_size", batch_size)
    order = rng.permutation(n)
    return (order[start : start + batch_size] for start in range(0, n, batch_size))


def read_only(value):
    """`value`, its NumPy arrays made read-only: tuples, lists and dicts are walked.

    For what is loaded once and lent to many. Who wants to change it takes a copy.
    """
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    elif isinstance(value, dict):
        read_only(list(value.values()))
    elif isinstance(value, (tuple, list)):
        for part in value:
            read_only(part)
    return value


def idx_header(shape):
    """The header of an IDX file that holds a uint8 array of this shape."""
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def read_npz(name, directory=DATA_DIR):
    """The four uint8 arrays of `directory`/`name`.npz, verified against the original files' SHA-256.

    Returns a dict with the keys x_train, y_train, x_test, y_test. Raises DataFileError.
    """
    path = Path(directory) / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as archive:
            if sorted(archive.files) != sorted(KEYS):
                raise DataFileError(f"{path} holds {sorted(archive.files)}, not {sorted(KEYS)}: {RESTORE}")
            arrays = {key: archive[key] for key in KEYS}
    except FileNotFoundError:
        raise DataFileError(f"{path} is missing: {RESTORE}") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataFileError(f"{path} cannot be read ({error}): {RESTORE}") from None
    for key, array in arrays.items():
        if array.dtype != np.uint8 or array.shape != SHAPES[key]:
            raise DataFileError(
                f"{path}: {key} is {array.dtype} {array.shape}, not uint8 {SHAPES[key]}: {RESTORE}"
            )
        checksum = hashlib.sha256(idx_header(array.shape))
        checksum.update(np.ascontiguousarray(array).data)
        if checksum.hexdigest() != IDX_SHA256[name][key]:
            raise DataFileError(f"{path}: {key} is not the original data (SHA-256 differs): {RESTORE}")
    return arrays


def write_npz(path, arrays):
    """Write a dict of arrays to the compressed archive `path` (a Path), all of it or nothing."""
    with written_whole(path) as temporary:
        np.savez_compressed(temporary, **arrays)


@contextmanager
def written_whole(path):
    """Yield a temporary path to write to; it becomes `path` at the end, unless the block raises.

    So a file is there as it was or as it shall be, never in between.
    """
    temporary = path.with_name(f"{path.stem}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _load(name, class_names, num_train, num_val, label_noise, seed, directory):
    total = SHAPES["y_train"][0]
    label_noise = check_probability("label_noise", label_noise)
    if num_val != 0:
        num_val = check_positive_int("num_val", num_val)
    num_train = total - num_val if num_train is None else check_positive_int("num_train", num_train)
    if num_train < 1 or num_train + num_val > total:
        raise ValueError(
            f"num_train + num_val must be at most {total}, with num_train >= 1, got {num_train} + {num_val}"
        )

    raw = read_npz(name, directory)
    train, val = _split(raw["y_train"], num_train, num_val, seed)
    y_train = raw["y_train"][train].astype(np.int64)
    if label_noise > 0:
        rng = np.random.default_rng([seed, 1])
        noisy = rng.permutation(num_train)[: round(label_noise * num_train)]
        y_train[noisy] = rng.integers(len(class_names), size=len(noisy))
    return ImageDataset(
        x_train=_to_unit(raw["x_train"][train]),
        y_train=y_train,
        x_val=_to_unit(raw["x_train"][val]),
        y_val=raw["y_train"][val].astype(np.int64),
        x_test=_to_unit(raw["x_test"]),
        y_test=raw["y_test"].astype(np.int64),
        class_names=class_names,
    )


def _split(labels, num_train, num_val, seed):
    """Indices (train, val): disjoint and stratified; everything, in its order, where all is kept."""
    everything = np.arange(len(labels))
    if num_train == len(labels):
        return slice(None), slice(0)
    from sklearn.model_selection import train_test_split  # a second to import: only when needed

    val = everything[:0]
    rest = everything
    if num_val:
        rest, val = train_test_split(rest, test_size=num_val, stratify=labels, random_state=seed)
    if num_train < len(rest):
        rest, _ = train_test_split(rest, train_size=num_train, stratify=labels[rest], random_state=seed)
    return rest, val


def _to_unit(images):
    """uint8 0..255 -> float32 0..1."""
    return np.divide(images, np.float32(255), dtype=np.float32)
