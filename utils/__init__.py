"""What the notebooks share. The first import of it makes the settings that come before any framework."""

import os

from utils import import_order  # noqa: F401 (before anything imports TensorFlow)

SETTINGS = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # TensorFlow's C++ start-up messages
    "TF_ENABLE_ONEDNN_OPTS": "0",  # its oneDNN notice, and run-to-run rounding differences
    "MXNET_SUBGRAPH_VERBOSE": "0",  # MXNet's hybridize notice
    "OMP_WAIT_POLICY": "PASSIVE",  # waiting threads sleep, not spin
    "OPENBLAS_NUM_THREADS": "1",  # NumPy's products here are small: two threads wait for each other
}
for _name, _value in SETTINGS.items():
    os.environ.setdefault(_name, _value)
