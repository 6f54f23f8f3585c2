"""torch.compile under a memory budget below 1: is a dropout mask the same on the way back?

    python torch_memory_budget.py

Ones go through dropout. A unit with an output other than 0 must have a gradient other than 0, and the
reverse.
Known as PyTorch issue 190758. The backend needs no C++ compiler.
"""

import sys

import torch
import torch._functorch.config as config
import torch.nn.functional as F


def layer(h):
    return torch.sin(F.dropout(torch.sin(h), 0.5))


def main():
    torch.manual_seed(0)
    h = torch.ones(2_000, requires_grad=True)
    with config.patch(activation_memory_budget=0.5):
        out = torch.compile(layer, backend="aot_eager")(h)
        out.sum().backward()
    alive, graded = out.detach() != 0, h.grad != 0
    both = int((alive & graded).sum())
    print(f"alive {int(alive.sum())}, with a gradient {int(graded.sum())}, both {both}")
    fixed = bool((alive == graded).all())
    print(f"{'fixed' if fixed else 'red: two masks'} in version {torch.__version__} of torch")
    return 0 if fixed else 1


if __name__ == "__main__":
    sys.exit(main())
