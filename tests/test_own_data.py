"""A reader's own file is loaded as it is, or one sentence says where it is wrong."""

import numpy as np
import pytest
from PIL import Image

from utils.data import DataFileError
from utils.own_data import TABLES, load_own

ROWS = [(k, k % 2, "yes" if k % 3 else "no") for k in range(60)]


def write(path, rows, header="size,on,class"):
    lines = [header, *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def images(folder, classes=("cat", "dog"), num=15):
    for place, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for k in range(num):
            pixels = np.full((40, 20, 3), 60 * place + k, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{k}.png")
    return folder


def test_a_csv_file_gives_its_numbers_and_classes(tmp_path):
    x, y, names = load_own(write(tmp_path / "a.csv", ROWS))
    assert names == ("no", "yes") and x.dtype == np.float32 and y.dtype == np.int64
    assert np.array_equal(x, [row[:2] for row in ROWS])
    assert [names[k] for k in y] == [row[2] for row in ROWS]


def test_the_column_of_classes_may_be_named(tmp_path):
    path = write(tmp_path / "a.csv", [(c, a, b) for a, b, c in ROWS], "class,size,on")
    x, y, names = load_own(path, label="class")
    assert np.array_equal(x, [row[:2] for row in ROWS]) and names == ("no", "yes") and len(y) == 60


def test_a_spreadsheets_byte_order_mark_and_empty_lines_do_no_harm(tmp_path):
    path = write(tmp_path / "a.csv", ROWS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
    assert load_own(path, label="class").x.shape == (60, 2)


def test_a_folder_of_images_becomes_small_and_grey(tmp_path):
    x, y, names = load_own(images(tmp_path / "own"))
    assert x.shape == (30, 784) and names == ("cat", "dog") and y.tolist() == [0] * 15 + [1] * 15
    assert x.min() == 0 and np.isclose(x.max(), 74 / 255)


@pytest.mark.parametrize("name", TABLES)
def test_scikit_learns_tables_are_there(name):
    x, y, names = load_own(name)
    assert x.dtype == np.float32 and len(x) == len(y) and set(y) == set(range(len(names)))


@pytest.mark.parametrize(
    ("header", "rows", "label", "said"),
    [
        ("size,on,class", [*ROWS, (1, "?", "yes")], None, "row 62: on is '?', which is no finite number"),
        ("size,on,class", [(1, "", "yes"), *ROWS], None, "row 2: on is '', which is no finite number"),
        ("size,on,class", [*ROWS, (1, "nan", "yes")], None, "no finite number"),
        ("size,on,class", [*ROWS, (1, 1e300, "yes")], None, "no finite number"),
        ("size,on,class", [*ROWS, (1, 2)], None, "row 62: 2 values, and the header has 3"),
        ("size,on,class", ROWS, "sort", "label must be one of"),
        ("size,size,class", ROWS, "size", "label must be one of"),
        ("class", [("yes",), ("no",)], None, "at least two column names"),
        ("size,on,class", [(*row[:2], "yes") for row in ROWS], None, "1 different classes"),
        ("size,on,class", [], None, "0 different classes"),
        ("size,on,class", [(k, 0, k) for k in range(200)], None, "200 different classes"),
        ("size,on,class", [*ROWS, (0, 0, "maybe")], None, "class 'maybe' has 1 examples"),
    ],
)
def test_a_bad_csv_file_gets_one_sentence(header, rows, label, said, tmp_path):
    with pytest.raises(DataFileError, match=said.replace("?", r"\?")) as error:
        load_own(write(tmp_path / "bad.csv", rows, header), label)
    assert "bad.csv" in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_csv_file_gets_one_sentence(tmp_path):
    path = tmp_path / "a.csv"
    for content in (b"\xff\xfe\x00\x01", b"", b'a,b\n1,"\0'):
        path.write_bytes(content)
        with pytest.raises(DataFileError):
            load_own(path)
    with pytest.raises(DataFileError, match="does not exist"):
        load_own(tmp_path / "none.csv")


def test_a_bad_folder_gets_one_sentence(tmp_path):
    with pytest.raises(DataFileError, match="no images in subfolders"):
        load_own(tmp_path)
    folder = images(tmp_path / "own")
    (folder / "cat/.DS_Store").write_bytes(b"x")
    load_own(folder)
    (folder / "cat/notes.txt").write_text("no image")
    with pytest.raises(DataFileError, match=r"notes\.txt cannot be read as an image"):
        load_own(folder)


def test_too_few_images_of_a_class_get_one_sentence(tmp_path):
    with pytest.raises(DataFileError, match="each needs 15"):
        load_own(images(tmp_path / "own", num=14))
