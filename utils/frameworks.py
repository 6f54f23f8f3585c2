"""Import the frameworks quietly, or say in one sentence why one is absent.

Call these functions instead of a plain `import` in a notebook: some settings must be made before the first
import, and not every platform has every framework.
"""

import importlib
import importlib.util
import os
import sys

from utils.mxnet_on_numpy2 import old_names

INSTALL_HINT = {
    "mxnet": "MXNet 1.9.1 has wheels for Linux and Intel macOS only; on Windows, WSL is a Linux",
    "tensorflow": "TensorFlow has no wheel for Python 3.14 yet: start the course with Python 3.12 or 3.13",
    "torch": "PyTorch has no wheel for this platform: see requirements.txt",
    "keras": "Keras is not installed: run `python3 course.py lab`",
}


def available(name):
    """True if the package `name` can be imported here ("mxnet", "tensorflow", "torch", "keras").

    The environment variable COURSE_WITHOUT, a comma-separated list, hides packages: with it a
    maintainer sees the course as a platform without them does.
    """
    hidden = os.environ.get("COURSE_WITHOUT", "").split(",")
    return name not in hidden and importlib.util.find_spec(name) is not None


def absence(name):
    """One sentence that says why `name` is absent and how to get it."""
    return f"{name} is not installed here. {INSTALL_HINT.get(name, 'See requirements.txt')}."


def load_mxnet():
    """The module mxnet. Raises ImportError with one sentence where it is absent."""
    if not available("mxnet"):
        raise ImportError(absence("mxnet"))
    with old_names():
        return importlib.import_module("mxnet")


def load_keras():
    """The module keras, on TensorFlow where that is installed, else on PyTorch.

    The environment variable KERAS_BACKEND, if set, decides instead.
    """
    if not available("keras"):
        raise ImportError(absence("keras"))
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow" if available("tensorflow") else "torch")
    keras = importlib.import_module("keras")
    # A reader's own keras.json may say otherwise.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    return keras
