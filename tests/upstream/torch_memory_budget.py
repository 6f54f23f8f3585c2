"""torch.compile under a memory budget below 1: is a dropout mask the same on the way back?

    python torch_memory_budget.py               aot_eager, a backend that needs no C++ compiler
    python torch_memory_budget.py inductor      the usual backend, on a GPU if there is one

Ones go through dropout. A unit with an output other than 0 must have a gradient other than 0, and the
reverse.
Known as PyTorch issue 190758.
"""

import sys

import torch
import torch._functorch.config as config
import torch.nn.functional as F


def layer(h):
    return torch.sin(F.dropout(torch.sin(h), 0.5))


def main(words):
    torch.manual_seed(0)
    backend = words[0] if words else "aot_eager"
    device = "cuda" if backend == "inductor" and torch.cuda.is_available() else "cpu"
    h = torch.ones(2_000, requires_grad=True, device=device)
    with config.patch(activation_memory_budget=0.5):
        out = torch.compile(layer, backend=backend)(h)
        out.sum().backward()
    alive, graded = out.detach() != 0, h.grad != 0
    both = int((alive & graded).sum())
    print(f"alive {int(alive.sum())}, with a gradient {int(graded.sum())}, both {both}")
    fixed = bool((alive == graded).all())
    print(f"{'fixed' if fixed else 'red: two masks'} in version {torch.__version__} of torch")
    return 0 if fixed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
