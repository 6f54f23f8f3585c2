"""A reader's own data, as arrays: a CSV file, or a folder of images with a subfolder for each class."""

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.data import DataFileError

TABLES = ("digits", "wine", "breast_cancer")  # of scikit-learn, for readers without data at hand
SIDE = 28  # pixels
FEWEST = 15  # rows of a class: training, validation and test each need a few
MOST_CLASSES = 100
LARGEST = float(np.finfo(np.float32).max)


class OwnData(NamedTuple):
    """`x` float32 (n, features), `y` int64 (n,) with class numbers, `class_names` a tuple of strings."""

    x: np.ndarray
    y: np.ndarray
    class_names: tuple


def load_own(path, label=None):
    """Load a table or images with classes.

    Parameters
    ----------
    path : str or path
        A CSV file with a line of column names, then numbers and one column of classes; or a folder with one
        subfolder of images for each class, which become grey and 28 x 28, values in [0, 1]; or one of
        scikit-learn's tables: "digits", "wine", "breast_cancer".
    label : str or None
        Name of the CSV file's column of classes. None takes the last column.

    Returns
    -------
    OwnData, as it is: nothing is scaled

    Raises
    ------
    DataFileError
        The data cannot be read or make no classification task. One sentence says where and why.
    """
    if str(path) in TABLES:
        from sklearn import datasets  # a second to import: only when needed

        table = getattr(datasets, f"load_{path}")()
        return OwnData(table.data.astype(np.float32), table.target.astype(np.int64), _names(table))
    path = Path(path)
    if path.is_dir():
        return _checked(path, *_read_folder(path))
    if not path.is_file():
        raise DataFileError(
            f"{path} does not exist: give a CSV file, a folder, or one of {', '.join(TABLES)}"
        )
    return _checked(path, *_read_csv(path, label))


def _names(table):
    return tuple(map(str, table.target_names))


def _checked(path, x, classes):
    """OwnData from features and class names (n,), if they make a task."""
    counts = Counter(classes)
    if not 2 <= len(counts) <= MOST_CLASSES:
        raise DataFileError(
            f"{path} has {len(counts)} different classes, and 2 to {MOST_CLASSES} are allowed: is the column "
            "of classes the right one?"
        )
    name, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest < FEWEST:
        raise DataFileError(f"{path}: class {name!r} has {fewest} examples, and each needs {FEWEST}")
    names = sorted(counts)
    number = {name: place for place, name in enumerate(names)}
    return OwnData(x, np.array([number[name] for name in classes]), tuple(names))


def _read_csv(path, label):
    """(features float32 (n, columns), class names) of a CSV file."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            rows = [(reader.line_num, row) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataFileError(f"{path} cannot be read as a CSV file ({error})") from None
    header = rows.pop(0)[1] if rows else []
    if len(header) < 2:
        raise DataFileError(f"{path} needs a line of at least two column names, separated by commas")
    label = header[-1] if label is None else label
    if header.count(label) != 1:
        raise DataFileError(f"label must be one of {path}'s columns, {', '.join(header)}, got {label!r}")
    place = header.index(label)
    names = header[:place] + header[place + 1 :]
    features, classes = np.zeros((len(rows), len(names)), np.float32), []
    for k, (line, row) in enumerate(rows):
        if len(row) != len(header):
            raise DataFileError(f"{path}, row {line}: {len(row)} values, and the header has {len(header)}")
        classes.append(row.pop(place).strip())
        for column, (name, text) in enumerate(zip(names, row, strict=True)):
            try:
                value = float(text)
            except ValueError:
                value = np.nan
            if not abs(value) <= LARGEST:  # nor NaN
                raise DataFileError(f"{path}, row {line}: {name} is {text!r}, which is no finite number")
            features[k, column] = value
    return features, classes


def _read_folder(path):
    """(grey levels float32 (n, 784) in [0, 1], class names) of a folder of folders of images."""
    from PIL import Image, UnidentifiedImageError

    files = sorted(file for file in path.glob("*/*") if file.is_file() and not file.name.startswith("."))
    if not files:
        raise DataFileError(f"{path} holds no images in subfolders: make one subfolder for each class")
    images = []
    for file in files:
        try:
            with Image.open(file) as image:
                images.append(np.asarray(image.convert("L").resize((SIDE, SIDE)), np.float32).ravel() / 255)
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise DataFileError(f"{file} cannot be read as an image ({error})") from None
    return np.stack(images), [file.parent.name for file in files]
