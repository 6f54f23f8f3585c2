"""Kernels: one that dies is a failure and not the end of the run; none speaks plain text."""

import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

ROOT = Path(__file__).resolve().parent.parent


def write_notebook(path, *sources):
    cells = [nbformat.v4.new_code_cell(source, execution_count=1) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def test_a_kernel_that_dies_fails_its_cell_at_once_and_the_next_notebook_runs(tmp_path):
    write_notebook(tmp_path / "a.ipynb", "x = 1", "import os; os.kill(os.getpid(), 9)", "x")
    write_notebook(tmp_path / "b.ipynb", "x = 2")
    options = [
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        ROOT / "pyproject.toml",
    ]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", ROOT, "-p", "conftest", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=1000,  # nbval waits 1,800
    )  # fmt: skip
    assert "the kernel died while it ran this cell" in result.stdout
    assert "2 failed, 2 passed" in result.stdout, result.stdout


def test_kernels_of_tests_are_encrypted():
    manager, client = start_new_kernel()
    try:
        info = manager.get_connection_info()
        assert info["transport"] == "ipc" or info["curve_publickey"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_storing_a_notebook_leaves_no_word_in_the_terminal(tmp_path):
    write_notebook(tmp_path / "07_demo.ipynb", "x = 1")
    code = textwrap.dedent(
        f"""
        from pathlib import Path
        from authoring.store import store
        store(Path({str(tmp_path / "07_demo.ipynb")!r}))
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not result.stdout and not result.stderr


def test_triton_beside_tensorflow_does_not_kill_the_process(require):
    """In a process of its own: where the order is wrong, the process dies of a segmentation fault."""
    require("tensorflow", "torch", "triton")
    code = textwrap.dedent(
        """
        import utils, keras, tensorflow, torch
        weight = torch.ones(2, requires_grad=True)
        torch.optim.SGD([weight], lr=0.1).step()
        import triton
        print(triton.__version__)
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0 and result.stdout.strip(), result.stderr


@pytest.mark.parametrize(
    "first", ["import tensorflow", "import keras", "from utils.frameworks import load_keras as k; k()"]
)
def test_whoever_asks_for_tensorflow_first_triton_comes_before_it(tmp_path, first):
    """With modules in the place of both that only write down the order in which they are imported."""
    for name in ("tensorflow", "triton"):
        (tmp_path / f"{name}.py").write_text(f"print('{name}')\n")
    config = "class config:\n    set_image_data_format = set_floatx = print\n"
    (tmp_path / "keras.py").write_text(f"import tensorflow\n{config}")
    # The environment's .pth has set it up already: take that back, so that `import utils` is tested.
    undo = "sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != 'TritonFirst']"
    code = f"import sys; {undo}; sys.path.insert(0, {str(tmp_path)!r}); import utils; {first}"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split()[:2] == ["triton", "tensorflow"]
