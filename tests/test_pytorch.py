"""Chapter 04: its hand-written layer equals PyTorch's."""

import math
from pathlib import Path

import nbformat
import numpy as np
import pytest

from utils import arguments

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "04_pytorch.ipynb"
NEEDED = ("def draw_factor", "class DropoutFunction", "class MyDropout")


def definition_cells():
    """Sources of the notebook's cells that define the names in NEEDED, in order; the course's version."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, 4).cells if cell.cell_type == "code"]
    whole = [cell.source for cell in cells if "your-turn" not in cell.metadata.get("tags", [])]
    found = [source for source in whole if source.startswith(NEEDED)]
    assert len(found) == len(NEEDED)
    return found


@pytest.fixture(scope="module")
def torch(require):
    require("torch")
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def chapter(torch):
    """The names that the definition cells of the chapter make."""
    namespace = {"torch": torch, "nn": torch.nn, "arguments": arguments}
    for source in definition_cells():
        exec(compile(source, "04_pytorch.ipynb", "exec"), namespace)
    return namespace


def example(torch, dtype=None):
    return torch.linspace(-3, 3, 40 * 64, dtype=dtype or torch.float32).reshape(40, 64)


def recovered_factor(torch, x, p, seed=3):
    torch.manual_seed(seed)
    return torch.nn.Dropout(p)(torch.ones_like(x))


# --- the hand-written Function against the built-in layer ---


@pytest.mark.parametrize("p", [0.0, 0.1, 0.3, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_output_and_gradient_equal_the_built_in_layers_under_its_own_mask(torch, chapter, p, dtype):
    x = example(torch, getattr(torch, dtype))
    factor = recovered_factor(torch, x, p)
    mine, builtin = x.clone().requires_grad_(), x.clone().requires_grad_()
    y_mine = chapter["DropoutFunction"].apply(mine, factor)
    torch.manual_seed(3)
    y_builtin = torch.nn.Dropout(p)(builtin)
    weights = torch.linspace(0.5, 2, x.numel(), dtype=x.dtype).reshape(x.shape)
    (weights * y_mine**2).sum().backward()
    (weights * y_builtin**2).sum().backward()
    tolerance = 1e-6 if dtype == "float32" else 1e-14
    torch.testing.assert_close(y_mine, y_builtin, rtol=tolerance, atol=0)
    torch.testing.assert_close(mine.grad, builtin.grad, rtol=tolerance, atol=0)
    assert (builtin.grad != 0).any() == (p < 1)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.8, 1.0])
def test_the_hand_written_backward_passes_gradcheck_in_float64(torch, chapter, p):
    x = torch.linspace(-2, 2, 24, dtype=torch.float64).requires_grad_()
    torch.manual_seed(0)
    factor = chapter["draw_factor"](x.detach(), p)
    assert torch.autograd.gradcheck(chapter["DropoutFunction"].apply, (x, factor))


def test_gradcheck_refuses_a_backward_that_forgets_to_rescale(torch, chapter):
    class Wrong(chapter["DropoutFunction"]):
        @staticmethod
        def backward(ctx, grad_output):
            (factor,) = ctx.saved_tensors
            return grad_output * (factor > 0), None

    x = torch.linspace(-2, 2, 24, dtype=torch.float64).requires_grad_()
    factor = torch.tensor([0, 2.0] * 12, dtype=torch.float64)
    assert not torch.autograd.gradcheck(Wrong.apply, (x, factor), raise_exception=False)


def test_torch_func_takes_the_gradient_of_the_hand_written_function(torch, chapter):
    x, factor = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 2.0, 2.0])
    grad = torch.func.grad(lambda x: chapter["DropoutFunction"].apply(x, factor).square().sum())(x)
    assert torch.equal(grad, 2 * x * factor**2)


def test_the_gradient_of_the_module_is_the_factor_that_its_forward_drew(torch, chapter):
    x = torch.ones(50, 50, requires_grad=True)
    y = chapter["MyDropout"](0.3)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach(), rtol=0, atol=0)


# --- the hand-written module ---


@pytest.mark.parametrize("bad", [1.2, -0.1, math.nan, math.inf])
def test_a_wrong_drop_prob_is_refused_in_one_sentence_when_the_layer_is_made(chapter, bad):
    with pytest.raises(ValueError) as caught:
        chapter["MyDropout"](bad)
    assert str(caught.value) == f"drop_prob must be in [0, 1], got {bad}"


def test_at_0_training_is_the_identity_and_at_1_it_gives_zeros_and_no_nan(torch, chapter):
    x = example(torch)
    assert torch.equal(chapter["MyDropout"](0.0)(x), x)
    everything = x.clone().requires_grad_()
    y = chapter["MyDropout"](1.0)(everything)
    y.sum().backward()
    assert not y.any() and not everything.grad.any()


def test_in_eval_mode_the_layer_returns_its_input_and_in_training_leaves_it_unchanged(torch, chapter):
    layer, x = chapter["MyDropout"](0.5), example(torch)
    before = x.clone()
    assert not torch.equal(layer(x), x)
    assert torch.equal(x, before)
    layer.eval()
    assert torch.equal(layer(x), x)
    layer.train()
    assert not torch.equal(layer(x), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_shape_and_dtype_are_kept(torch, chapter, dtype):
    for shape in ((7,), (3, 5), (2, 3, 4, 4), (0, 6)):
        y = chapter["MyDropout"](0.4)(torch.ones(shape, dtype=getattr(torch, dtype)))
        assert y.shape == shape and y.dtype == getattr(torch, dtype)


def test_the_same_seed_gives_the_same_mask_and_another_seed_another(torch, chapter):
    x, outputs = torch.ones(100, 100), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        outputs.append(chapter["MyDropout"](0.5)(x))
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("layer", ["hand-written", "built-in"])
def test_mean_variance_and_share_of_zeros_are_within_five_standard_errors(torch, chapter, layer, p):
    torch.manual_seed(11)
    make = chapter["MyDropout"] if layer == "hand-written" else torch.nn.Dropout
    y = make(p)(torch.ones(1_000, 500, dtype=torch.float64)).numpy()
    q, count = 1 - p, y.size
    variance = p / q
    fourth = q * (1 / q - 1) ** 4 + p  # central fourth moment of 0 or 1/q
    assert abs((y == 0).mean() - p) < 5 * math.sqrt(p * q / count)
    assert abs(y.mean() - 1) < 5 * math.sqrt(variance / count)
    assert abs(((y - 1) ** 2).mean() - variance) < 5 * math.sqrt(max(fourth - variance**2, 0) / count) + 1e-9


def test_units_and_examples_are_dropped_independently_and_not_an_exact_share(torch, chapter):
    torch.manual_seed(12)
    kept = (chapter["MyDropout"](0.3)(torch.ones(20_000, 8)) > 0).numpy().astype(float)
    standard = (kept - 0.7) / math.sqrt(0.21)
    for shift in range(1, 8):
        pairs = (standard * np.roll(standard, shift, axis=1)).mean()
        # with 8 units, a roll by 4 meets every pair twice
        assert abs(pairs) < 5 * math.sqrt((2 if shift == 4 else 1) / standard.size)
    neighbours = (standard[1:] * standard[:-1]).mean()
    assert abs(neighbours) < 5 / math.sqrt(standard[1:].size)
    assert len(np.unique(kept.sum(axis=1))) > 5


# --- the switch, as PyTorch has it ---


def drops(torch, function):
    return bool((function(torch.ones(10_000)) == 0).any())


@pytest.mark.parametrize("layer", ["hand-written", "built-in"])
def test_only_eval_switches_dropout_off_and_no_grad_or_inference_mode_do_not(torch, chapter, layer):
    make = chapter["MyDropout"] if layer == "hand-written" else torch.nn.Dropout
    assert drops(torch, make(0.5))
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert drops(torch, make(0.5))
    assert not drops(torch, make(0.5).eval())


def test_functional_dropout_drops_after_eval_and_eval_does_not_reach_a_plain_list(torch):
    net = torch.nn.Module()
    net.layers = [torch.nn.Dropout(0.5)]
    net.eval()
    assert drops(torch, lambda x: torch.nn.functional.dropout(x, 0.5)) and drops(torch, net.layers[0])
    net.layers = torch.nn.ModuleList(net.layers)
    assert not drops(torch, net.eval().layers[0])


def test_dropout1d_on_a_batch_of_units_drops_whole_examples(torch):
    torch.manual_seed(0)
    y = torch.nn.Dropout1d(0.5)(torch.ones(200, 6))
    assert torch.equal(y, y[:, :1].expand(200, 6))
    assert 0 < (y[:, 0] == 0).sum() < 200


def test_a_device_is_not_equal_to_a_string(torch):
    assert torch.device("cuda") != "cuda" and torch.device("cuda").type == "cuda"


def test_a_zero_bias_relu_net_is_positively_homogeneous_and_biases_break_that(torch):
    torch.manual_seed(0)
    layers = [torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 4)]
    net, x = torch.nn.Sequential(*layers).double(), torch.rand(50, 20, dtype=torch.float64)
    with torch.no_grad():
        assert not torch.allclose(net(255 * x), 255 * net(x))
        for layer in (layers[0], layers[2]):
            layer.bias.zero_()
        torch.testing.assert_close(net(255 * x), 255 * net(x), rtol=1e-12, atol=1e-12)
