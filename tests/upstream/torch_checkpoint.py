"""torch.utils.checkpoint: is a dropout mask the same on the way back?

    python torch_checkpoint.py          with the generator's state, the default
    python torch_checkpoint.py lost     with preserve_rng_state=False, which the documentation allows
    python torch_checkpoint.py gpu      with the state, between two recurrent layers, on a GPU if there is one

Ones go through dropout. A unit with an output other than 0 must have a gradient other than 0, and the
reverse. The recurrent layers are made so that they change nothing; on a GPU cuDNN runs them, and draws their
masks from a state of its own.
"""

import sys

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

UNITS = 2_000


def recurrent(device):
    """A function of h: two layers of a ReLU net that pass on what they get, dropout between them."""
    net = torch.nn.RNN(UNITS, UNITS, num_layers=2, nonlinearity="relu", bias=False, dropout=0.5).to(device)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            weight.copy_(torch.eye(UNITS) if "ih" in name else torch.zeros(UNITS, UNITS))
    net(torch.ones(1, UNITS, device=device))  # cuDNN's state starts at the seed at its first call
    return lambda h: net(h[None])[0][0]


def main(words):
    torch.manual_seed(0)
    device = "cuda" if words == ["gpu"] and torch.cuda.is_available() else "cpu"
    layer = recurrent(device) if words == ["gpu"] else lambda h: F.dropout(h, 0.5)
    h = torch.ones(UNITS, requires_grad=True, device=device)
    out = checkpoint(layer, h, use_reentrant=False, preserve_rng_state=words != ["lost"])
    out.sum().backward()
    alive, graded = out.detach() != 0, h.grad != 0
    both = int((alive & graded).sum())
    print(f"alive {int(alive.sum())}, with a gradient {int(graded.sum())}, both {both}")
    fixed = bool((alive == graded).all())
    print(f"{'fixed' if fixed else 'red: two masks'} in version {torch.__version__} of torch")
    return 0 if fixed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
