"""What the pages say: each claim once, in their words, and the table that answers a chapter's claims.

A claim that several pages make has one name here and gets one verdict, in one chapter. A page that is not
quoted implies the claim by its code, a table or a figure.
"""

from typing import NamedTuple

from utils.tables import Table

HEADER = ("Claim", "In their words", "Verdict", "What we measured")
VERDICTS = ("holds", "does not hold", "depends", "cannot tell", "not tested")
KERAS = "the Keras notebook"
D2L = "Dive into Deep Learning"
NORM = "the notes on batch norm"
SCRIPT = "the PyTorch script"
POST = "the Monte Carlo post"
PAGES = (KERAS, D2L, NORM, SCRIPT, POST)
TORCH = "PyTorch's documentation"  # one sentence of it, beside the five pages
# And on language models: a comment in a program that many copy, and the abstracts of two studies.
NANO = "nanoGPT"
DROP = "Liu et al. 2025, arXiv 2505.24788"
REPEAT = "Xue et al. 2023, arXiv 2305.13230"


class Said(NamedTuple):
    """Where a page says something: its words (Korean ones with English after a slash), and the place.

    Without words the claim is implied by what stands at the place.
    """

    page: str
    place: str
    words: str = ""

    def __str__(self):
        if not self.words:
            return f"implied by {self.place} ({self.page})"
        words = ", ".join(f"“{part}”" for part in self.words.split(" / "))
        return f"{words} ({self.page}, {self.place})"


CLAIMS = {
    # chapter 01
    "linear models can overfit": [Said(D2L, "Overfitting Revisited", "linear models can overfit")],
    "more examples than features is safe": [
        Said(
            D2L,
            "Overfitting Revisited",
            "many more examples than features, linear models can usually be counted on not to overfit",
        )
    ],
    "random labels can be learnt": [
        Said(D2L, "Overfitting Revisited", "neural networks can perfectly fit the training labels")
    ],
    "no better than chance on new data": [
        Said(D2L, "Overfitting Revisited", "no classifier can get better than 10% accuracy on holdout data")
    ],
    # chapter 02
    "expectation is kept": [
        Said(D2L, "Robustness through Perturbations", "the expectation remains unchanged, i.e. E[h'] = h")
    ],
    "no gradient for dropped units": [
        Said(D2L, "Dropout in Practice", "their respective gradient also vanishes when performing backprop")
    ],
    # chapter 03
    "clearly less overfitting in Keras": [Said(KERAS, "the curve with dropout, alone")],
    "overfits again from epoch 16": [Said(KERAS, "the text under its second curve")],
    "Keras switches it off by itself": [Said(KERAS, "the text on evaluation")],
    # chapter 04
    "exactly the share 1 - r": [Said(SCRIPT, "the text before its code")],
    "another network at every step": [Said(SCRIPT, "the text before its code")],
    "performance goes up": [Said(SCRIPT, "the text before its code")],
    "accuracy .9798": [Said(SCRIPT, "its last printed line")],
    "cost .0455": [Said(SCRIPT, "its last printed epoch")],
    "raw test images do no harm": [Said(SCRIPT, "the code of its evaluation")],
    # chapter 05
    "table of the scratch net": [Said(D2L, "the printed epochs of the scratch net, .881 at the end")],
    "table of the concise net": [Said(D2L, "the printed epochs of the concise net, .873 at the end")],
    "U > p keeps with 1 - p": [Said(D2L, "Implementation from Scratch, the line of the mask")],
    # chapter 06
    "zeros at p = 1": [Said(D2L, "Implementation from Scratch", "all elements are dropped out")],
    "only during training": [Said(D2L, "Summary", "Dropout is only used during training")],
    # chapter 07
    "L2 is a Gaussian prior": [
        Said(D2L, "the introduction", "this imposes a Gaussian prior on the value of the weights")
    ],
    "input noise is Tikhonov": [
        Said(
            D2L,
            "Robustness through Perturbations",
            "Training with Input Noise is Equivalent to Tikhonov Regularization",
        )
    ],
    "noise inside the net": [
        Said(D2L, "Robustness through Perturbations", "apply Bishop's idea to the internal layers")
    ],
    "less reliance on single units": [
        Said(
            KERAS,
            "the reasons",
            "특정 뉴런에 과대하게 의존하는 것을 줄일 수 있고 / can reduce reliance on particular neurons",
        ),
        Said(D2L, "Dropout in Practice", "cannot be overly dependent on any one element"),
        Said(
            NORM,
            "the list of pros",
            "특정 뉴런에 지나치게 의존하는 것을 방지 / prevents relying too much on particular neurons",
        ),
    ],
    "like an ensemble": [
        Said(
            KERAS,
            "the figure of two nets",
            "2개의 앙상블을 하는 것처럼 보인다 / it looks like making an ensemble of two",
        ),
        Said(NORM, "the list of pros", "앙상블 효과 / ensemble effect"),
        Said(SCRIPT, "the text before its code"),
    ],
    "breaks a conspiracy of weights": [
        Said(
            NORM,
            "Dropout",
            "가중치의 특정 조합인 conspiracy / a particular combination of weights, a conspiracy",
        )
    ],
    "multiply by 1 - p after training": [Said(POST, "the text on the classical form")],
    # chapter 08
    "curbs overfitting": [
        Said(KERAS, "the first sentence", "과대적합을 막는다 / prevents overfitting"),
        Said(D2L, "Summary", "dropout is yet another tool to avoid overfitting"),
        Said(NORM, "the list of pros", "과적합 감소 / less overfitting"),
    ],
    "2 to 3 points of accuracy": [Said(POST, "the introduction")],
    "training takes longer": [Said(NORM, "the list of cons", "훈련 시간 증가 / longer training")],
    "used jointly with weight decay": [Said(D2L, "Summary", "Often all three are used jointly")],
    # chapter 09
    "lower p near the input": [
        Said(
            D2L,
            "Define the Model",
            "generally recommended to set a lower dropout probability closer to the input layer",
        )
    ],
    "acts on the next layer": [
        Said(NORM, "a comment in its code", "apply 30% dropout to the next layer"),
    ],
    "every unit but the outputs": [Said(POST, "the definition")],
    # chapter 10
    "cannot learn meaningless patterns": [
        Said(
            NORM,
            "Dropout",
            "의미 없는 패턴을 학습할 수 없게 만든다 / makes it unable to learn meaningless patterns",
        )
    ],
    "some information is lost": [Said(NORM, "the list of cons", "일부 정보 손실 / some information is lost")],
    "put the data on one scale": [
        Said(
            NORM,
            "Batch Normalization",
            "데이터를 공통 스케일(scale)에 맞추는 것이 좋다 / good to put the data on a common scale",
        )
    ],
    "normalises by the batch itself": [
        Said(
            NORM,
            "Batch Normalization",
            "해당 배치를 자체의 평균과 표준편차로 정규화 / normalises the batch by its own mean and standard "
            "deviation",
        )
    ],
    "batch norm is stable": [Said(NORM, "the pros of batch norm")],
    "batch norm is faster": [Said(NORM, "the pros of batch norm")],
    "batch norm needs fewer epochs": [Said(NORM, "the pros of batch norm")],
    "batch norm saves the gradient": [Said(NORM, "the pros of batch norm")],
    "batch norm generalises better": [Said(NORM, "the pros of batch norm")],
    "batch norm costs computation": [Said(NORM, "the cons of batch norm")],
    "small batches are noisy": [Said(NORM, "the cons of batch norm")],
    "more stable after the activation": [Said(NORM, "its two placements")],
    # chapter 11
    "dates from 2012": [Said(POST, "the introduction")],
    "a class can force it on": [Said(POST, "its class MCDropout")],
    "a table of standard deviations": [Said(POST, "its two printed rows of means and deviations")],
    "from .99 to .62": [Said(POST, "its two printed predictions")],
    "needs no retraining": [Said(POST, "the text on Monte Carlo dropout")],
    # chapter 12
    "better uncertainty": [Said(POST, "the text on Monte Carlo dropout")],
    "better performance": [Said(POST, "the text on Monte Carlo dropout")],
    ".62 is more believable": [Said(POST, "the text under its prediction")],
    # chapter 13
    "removes weights": [
        Said(
            NORM,
            "Dropout",
            "특정한 가중치 하나를 제거 / removing one particular weight",
        )
    ],
    "more conclusive without it": [
        Said(D2L, "Dropout in Practice", "to obtain more conclusive results"),
    ],
    # chapter 14
    "lost determinism alone": [
        Said(
            TORCH,
            "torch.utils.checkpoint",
            "If deterministic output compared to non-checkpointed passes is not required, "
            "supply preserve_rng_state=False",
        )
    ],
    # chapter 15
    "pretraining is better without": [
        Said(NANO, "train.py", "for pretraining 0 is good"),
        Said(DROP, "the abstract", "improves when dropout is not applied during pretraining"),
    ],
    "dropout helps on repeated text": [
        Said(
            REPEAT,
            "the abstract",
            "Most regularization techniques do not yield significant improvements, except for dropout, "
            "which demonstrates remarkable effectiveness",
        )
    ],
    "fine-tuning wants 0.1 or more": [Said(NANO, "train.py", "for finetuning try 0.1+")],
}


def verdict_table(rows):
    """The table that answers a chapter's claims.

    Parameters
    ----------
    rows : sequence of (name, verdict, measured)
        A name in CLAIMS, one of VERDICTS, and what was measured: a difference with its interval and runs, or
        what was proved.

    Raises
    ------
    ValueError
        A name is not a claim, or a verdict is none of the five words.
    """
    for name, verdict, _ in rows:
        if name not in CLAIMS:
            raise ValueError(f"the name of a claim must be in CLAIMS, got {name!r}")
        if verdict not in VERDICTS:
            raise ValueError(f"verdict must be one of {', '.join(VERDICTS)}, got {verdict!r}")
    return Table(
        HEADER,
        [(name, "; ".join(map(str, CLAIMS[name])), word, text) for name, word, text in rows],
    )
