"""Import triton before TensorFlow, whoever asks for TensorFlow first.

On Linux PyTorch's CUDA build brings triton, which PyTorch imports at the first optimiser. TensorFlow 2.21
opens its copy of LLVM for every library of the process to see, and triton, loaded after it, takes that one
for its own: the process dies of a segmentation fault (TensorFlow issue 124205). The other order works.

`import utils` sets this up. `course.py` also copies this file into .venv, where a line in dropout_course.pth
runs it at the start of every Python, so that a notebook of the reader's own is safe with a plain
`import keras`. It needs nothing but the standard library, and does nothing where triton is absent.
"""

import contextlib
import importlib
import sys


class TritonFirst:
    """A finder that finds nothing: when TensorFlow is asked for, it imports triton."""

    def find_spec(self, name, path=None, target=None):
        if name == "tensorflow":
            with contextlib.suppress(ImportError):
                importlib.import_module("triton")
        return None


def triton_first():
    """Set it up, unless that is done or TensorFlow is here already."""
    done = any(type(finder).__name__ == "TritonFirst" for finder in sys.meta_path)
    if not done and "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, TritonFirst())


triton_first()
