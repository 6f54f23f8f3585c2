"""torch.utils.checkpoint: is a dropout mask the same on the way back?

    python torch_checkpoint.py          with the generator's state, the default
    python torch_checkpoint.py lost     with preserve_rng_state=False, which the documentation allows

Ones go through dropout. A unit with an output other than 0 must have a gradient other than 0, and the
reverse.
"""

import sys

import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint


def layer(h):
    return F.dropout(h, 0.5)


def main(words):
    torch.manual_seed(0)
    h = torch.ones(2_000, requires_grad=True)
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
