"""The data files, the loaders and the minibatches."""

import csv
import gzip
import hashlib
import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.data import clean, default_numbers
from utils.data import (
    ALPHABET,
    DATA_DIR,
    IDX_SHA256,
    KEYS,
    TEXT_SHA256,
    DataFileError,
    idx_header,
    load_fashion_mnist,
    load_mnist,
    load_text,
    minibatches,
    read_npz,
)


@pytest.fixture(scope="module")
def mnist_arrays():
    return read_npz("mnist")


@pytest.mark.parametrize("load", [load_fashion_mnist, load_mnist])
def test_whole_sets_load_as_unit_floats_and_int64_labels(load):
    images = load()
    assert images.x_train.shape == (60_000, 28, 28) and images.x_test.shape == (10_000, 28, 28)
    assert images.x_train.dtype == images.x_test.dtype == np.float32
    assert images.y_train.dtype == images.y_test.dtype == np.int64
    assert images.x_train.min() == 0 and images.x_train.max() == 1
    assert len(images.x_val) == len(images.y_val) == 0
    assert sorted(set(images.y_test)) == list(range(10)) and len(images.class_names) == 10
    assert np.array_equal(np.rint(images.x_test * 255), images.x_test * np.float32(255))
    assert "train=60000" in repr(images)


def test_training_order_is_the_original_order(mnist_arrays):
    assert np.array_equal(load_mnist().y_train, mnist_arrays["y_train"])


def test_files_hold_the_original_idx_content(mnist_arrays):
    for key in KEYS:
        raw = idx_header(mnist_arrays[key].shape) + mnist_arrays[key].tobytes()
        assert hashlib.sha256(raw).hexdigest() == IDX_SHA256["mnist"][key]


def test_a_subset_is_stratified_seeded_and_disjoint_from_validation():
    first = load_mnist(num_train=1_000, num_val=500, seed=3)
    again = load_mnist(num_train=1_000, num_val=500, seed=3)
    other = load_mnist(num_train=1_000, num_val=500, seed=4)
    assert np.array_equal(first.x_train, again.x_train) and np.array_equal(first.y_val, again.y_val)
    assert not np.array_equal(first.x_train, other.x_train)
    share = np.bincount(load_mnist().y_train) / 60_000
    for labels in (first.y_train, first.y_val):
        assert np.all(np.abs(np.bincount(labels) - share * len(labels)) <= 1)  # stratified: to one example
    seen = {image.tobytes() for image in first.x_train}
    assert not any(image.tobytes() in seen for image in first.x_val)


def test_validation_split_leaves_the_rest_for_training():
    images = load_mnist(num_val=10_000)
    assert len(images.x_train) == 50_000 and len(images.x_val) == 10_000


def test_label_noise_replaces_the_stated_share_and_spares_test_labels():
    clean, noisy = load_mnist(), load_mnist(label_noise=0.2, seed=1)
    changed = (clean.y_train != noisy.y_train).mean()
    # 12,000 labels are redrawn; each changes with probability 0.9.
    standard_error = np.sqrt(12_000 * 0.9 * 0.1) / 60_000
    assert abs(changed - 0.18) < 5 * standard_error
    assert np.array_equal(clean.y_test, noisy.y_test)
    assert np.array_equal(noisy.y_train, load_mnist(label_noise=0.2, seed=1).y_train)


def test_full_label_noise_leaves_no_information():
    clean, noisy = load_mnist(), load_mnist(label_noise=1.0)
    agree = (clean.y_train == noisy.y_train).mean()
    assert abs(agree - 0.1) < 5 * np.sqrt(0.1 * 0.9 / 60_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_noise": 1.2}, r"label_noise must be in \[0, 1\], got 1.2"),
        ({"label_noise": float("nan")}, r"label_noise must be in \[0, 1\], got nan"),
        ({"num_train": 0}, "num_train must be a whole number >= 1, got 0"),
        ({"num_train": 2.5}, "num_train must be a whole number >= 1, got 2.5"),
        ({"num_train": True}, "num_train must be a whole number >= 1, got True"),
        ({"num_val": -1}, "num_val must be a whole number >= 1, got -1"),
        ({"num_train": 60_000, "num_val": 1}, "at most 60000, with num_train >= 1, got 60000"),
        ({"num_val": 60_000}, "at most 60000, with num_train >= 1, got 0"),
    ],
)
def test_bad_arguments_get_one_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_mnist(**arguments)


# --- damaged files: one sentence, nothing written ---


def damaged_folder(tmp_path, damage):
    path = tmp_path / "mnist.npz"
    shutil.copy(DATA_DIR / "mnist.npz", path)
    damage(path)
    return tmp_path


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def empty(path):
    path.write_bytes(b"")


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def resave(path, change):
    arrays = dict(read_npz("mnist"))
    change(arrays)
    np.savez(path, **arrays)


def alter_a_pixel(path):
    def change(arrays):
        arrays["x_test"] = arrays["x_test"].copy()
        arrays["x_test"][7, 14, 14] ^= 1

    resave(path, change)


def wrong_shape(path):
    resave(path, lambda arrays: arrays.update(x_test=arrays["x_test"].reshape(10_000, 784)))


def wrong_keys(path):
    resave(path, lambda arrays: arrays.pop("y_test"))


def pickled(path):
    np.savez(path, **dict.fromkeys(KEYS, np.array([{"not": "an image"}], dtype=object)))


def not_an_archive(path):
    path.write_text("<html>not found</html>")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (os.remove, "is missing"),
        (truncate, "cannot be read"),
        (empty, "cannot be read"),
        (flip_a_byte, "cannot be read|SHA-256 differs"),
        (alter_a_pixel, "x_test is not the original data"),
        (wrong_shape, r"x_test is uint8 \(10000, 784\), not uint8 \(10000, 28, 28\)"),
        (wrong_keys, "holds .*, not"),
        (pickled, "cannot be read"),
        (not_an_archive, "cannot be read"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence_and_nothing_is_written(tmp_path, damage, message):
    folder = damaged_folder(tmp_path, damage)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(DataFileError, match=message) as error:
        load_mnist(directory=folder)
    assert "\n" not in str(error.value) and "data/README.md" in str(error.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_loading_works_from_a_read_only_folder(tmp_path):
    shutil.copy(DATA_DIR / "mnist.npz", tmp_path)
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert len(load_mnist(directory=tmp_path).x_test) == 10_000
    finally:
        tmp_path.chmod(stat.S_IRWXU)


# --- the build script ---


def write_idx_files(folder, arrays, compress=False):
    paths = []
    for key in KEYS:
        raw = idx_header(arrays[key].shape) + arrays[key].tobytes()
        path = folder / f"{key}.idx"
        path.write_bytes(gzip.compress(raw, 1) if compress else raw)
        paths.append(str(path))
    return paths


def run_build(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "authoring.data", *map(str, arguments)],
        cwd=DATA_DIR.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("compress", [False, True])
def test_the_script_rebuilds_the_same_arrays(tmp_path, mnist_arrays, compress):
    paths = write_idx_files(tmp_path, mnist_arrays, compress)
    result = run_build("mnist", *paths, "--output", tmp_path / "mnist.npz")
    assert result.returncode == 0, result.stderr
    rebuilt = read_npz("mnist", tmp_path)
    assert all(np.array_equal(rebuilt[key], mnist_arrays[key]) for key in KEYS)


def test_the_script_refuses_other_files_and_writes_nothing(tmp_path, mnist_arrays):
    paths = write_idx_files(tmp_path, mnist_arrays)
    target = tmp_path / "mnist.npz"
    result = run_build("mnist", paths[2], *paths[1:], "--output", target)
    assert result.returncode != 0 and "is not the original x_train" in result.stderr
    result = run_build("mnist", tmp_path / "nowhere", *paths[1:], "--output", target)
    assert result.returncode != 0 and "nowhere" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*.npz"))


def test_a_target_that_cannot_be_written_leaves_nothing_behind(tmp_path, mnist_arrays):
    paths = write_idx_files(tmp_path, mnist_arrays)
    target = tmp_path / "mnist.npz"
    target.mkdir()  # a folder stands where the file should go, so the last step fails
    result = run_build("mnist", *paths, "--output", target)
    assert result.returncode != 0 and result.stderr.startswith("authoring.data:")
    assert not list(tmp_path.glob("*.tmp*"))


# --- texts and the table of defaults ---


def spell(numbers):
    return "".join(ALPHABET[number] for number in numbers)


def test_the_texts_are_character_numbers():
    assert len(set(ALPHABET)) == len(ALPHABET)
    for name, words in (("shakespeare", "What is the city but the people?"), ("milton", "Heav'n of Hell")):
        text = load_text(name)
        assert text.dtype == np.int64 and text.min() >= 0 and text.max() < len(ALPHABET)
        spelt = spell(text)
        assert words in spelt and " \n" not in spelt and "\n\n\n" not in spelt
        assert hashlib.sha256(spelt.encode()).hexdigest() == TEXT_SHA256[name]


@pytest.mark.parametrize("damage", [truncate, empty, flip_a_byte, os.remove])
def test_a_damaged_text_gets_one_sentence(tmp_path, damage):
    path = tmp_path / "milton.txt.xz"
    shutil.copy(DATA_DIR / path.name, path)
    damage(path)
    with pytest.raises(DataFileError, match=r"milton\.txt\.xz .*git checkout -- data"):
        load_text("milton", tmp_path)


def test_another_text_in_the_place_of_one_is_refused(tmp_path):
    shutil.copy(DATA_DIR / "milton.txt.xz", tmp_path / "shakespeare.txt.xz")
    with pytest.raises(DataFileError, match="is not the original text"):
        load_text("shakespeare", tmp_path)


def test_an_unknown_text_gets_one_sentence():
    with pytest.raises(ValueError, match="name must be one of milton, shakespeare, got 'homer'"):
        load_text("homer")


def test_a_text_is_cleaned():
    assert clean(b"\n\nAct\t1 \n\n\n\n{To be}\xe9  \nor_not\r\n") == "Act 1\n\nTo be\nornot\n\n"


def test_the_script_refuses_another_package_and_writes_nothing(tmp_path):
    other = tmp_path / "other.tar.gz"
    other.write_bytes(b"no package")
    for name, target in (("texts", tmp_path), ("defaults", tmp_path / "made.csv")):
        result = run_build(name, other, "--output", target)
        assert result.returncode != 0 and "is not the original" in result.stderr
    assert list(tmp_path.iterdir()) == [other]


def test_defaults_are_read_from_fields_and_from_init():
    source = """
class New:
    attention_dropout: float | int = 0.1
    hidden_dropout: float = interval(min=0.0)(default=0.2)
    use_cache: bool = True
    activation: str = "gelu"

class Old:
    def __init__(self, vocab_size=9, dropout=0.3, *, eps=None, **kwargs):
        self.dropout = dropout
"""
    found = dict(default_numbers(source))
    assert found == {"attention_dropout": 0.1, "hidden_dropout": 0.2, "vocab_size": 9, "dropout": 0.3}


def test_the_table_of_defaults_has_a_row_a_family():
    with (DATA_DIR / "transformer_defaults.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {row["family"]: row for row in rows}
    assert len(known) == len(rows) == 525
    assert all(float(row[kind] or 0) >= 0 for row in rows for kind in ("attention", "residual"))
    assert all(float(row[kind] or 0) < 1 for row in rows for kind in ("attention", "residual"))
    assert [known["gpt2"][kind] for kind in ("year", "attention", "residual")] == ["2018", "0.1", "0.1"]
    assert [known["llama"][kind] for kind in ("year", "attention", "residual")] == ["2022", "0.0", ""]


# --- minibatches ---


@given(n=st.integers(1, 300), batch_size=st.integers(1, 400), seed=st.integers(0, 2**32))
def test_minibatches_visit_each_example_once(n, batch_size, seed):
    batches = list(minibatches(n, batch_size, np.random.default_rng(seed)))
    assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(n))
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert len(batches[-1]) == (n % batch_size or batch_size)


def test_minibatches_follow_the_generator():
    def order(seed):
        return np.concatenate(list(minibatches(100, 32, np.random.default_rng(seed))))

    assert np.array_equal(order(0), order(0)) and not np.array_equal(order(0), order(1))


@pytest.mark.parametrize("arguments", [(0, 1), (10, 0), (10, 2.5)])
def test_minibatches_refuse_bad_sizes_at_once(arguments):
    with pytest.raises(ValueError, match="must be a whole number >= 1"):
        minibatches(*arguments, np.random.default_rng(0))
