"""A small GPT that reads its text once or often, with and without dropout: chapter 15's stored results."""

import numpy as np

from utils.data import ALPHABET, load_text
from utils.measured import difference, load_results

RESULTS = "15_language_models"
# Chapter 15's experiment: every run reads this many characters in all, of so many different ones, at these p.
READ = 750 * 16 * 64
LENGTHS = (770_000, 100_000, 25_000, 5_000)
PS = (0.0, 0.2)
WHENS = ("end", "stopped early")
BLOCK, LONG = 1_000, 20  # a sample is made of blocks; a copy of this many characters is marked


def build():
    """The arrays of data/bank_passes.npz, from data/results/15_language_models.json; no training.

    Test nats per character, each as mean, low and high end of the 95 % interval over the draws, and pairs:

    Returns
    -------
    dict of
        nats : float64 (2 whens, 2 values of p, 4 lengths, 4)
        differences : float64 (2 whens, 4 lengths, 4), p = 0.2 minus p = 0, paired by draw
        texts : uint8 (2 values of p, 4 lengths, draws, 500), what each model wrote, as places in ALPHABET
        copied : uint8, of the same shape: to which piece the character belongs, 1, 2, ..., of those of at
            least 20 that stand letter for letter in that model's training text; 0 is none
        longest : int64 (2 values of p, 4 lengths, draws), the longest such piece of any length
    """
    arms = load_results(RESULTS)["arms"]
    runs = [[arms[f"{length}, p = {p}"] for length in LENGTHS] for p in PS]
    scores = np.array([[[when(rows) for rows in arm] for arm in runs] for when in (end, stopped)])
    texts = np.array([[[codes(row["text"]) for row in rows] for rows in arm] for arm in runs], dtype=np.uint8)
    plays = load_text("shakespeare")
    samples = [[spell(sample(plays, length, draw)) for draw in range(texts.shape[2])] for length in LENGTHS]
    copied, longest = np.zeros_like(texts), np.zeros(texts.shape[:3], dtype=np.int64)
    for i, j, draw in np.ndindex(longest.shape):
        lengths = copies(spell(texts[i, j, draw]), samples[j][draw])
        longest[i, j, draw] = lengths.max()
        for number, (start, stop) in enumerate(apart(lengths, LONG), 1):
            copied[i, j, draw, start:stop] = number
    return {
        "nats": np.array([[[difference(draws) for draws in arm] for arm in when] for when in scores]),
        "differences": np.array([list(map(difference, when[1], when[0])) for when in scores]),
        "texts": texts,
        "copied": copied,
        "longest": longest,
    }


def end(rows):
    """Each draw's test nats, the mean of the last three looks: (draws,)."""
    return [np.mean(row["test"][-3:]) for row in rows]


def stopped(rows):
    """Each draw's test nats at the look with its lowest validation loss: (draws,)."""
    return [row["test"][np.argmin(row["val"])] for row in rows]


def sample(text, length, draw):
    """The part of the plays that a draw of chapter 15 trained on, as places in ALPHABET: int64 (length,)."""
    blocks = text[: len(text) * 9 // 10 // BLOCK * BLOCK].reshape(-1, BLOCK)
    order = np.random.default_rng([draw, 0]).permutation(len(blocks))
    return blocks[order[: length // BLOCK]].ravel()


def codes(text):
    """A string as places in ALPHABET."""
    return [ALPHABET.index(character) for character in text]


def spell(places):
    """Places in ALPHABET as a string."""
    return "".join(ALPHABET[k] for k in places)


def copies(written, text):
    """How much of `written` from each of its characters on stands in `text`: int64 (characters,)."""
    lengths, reach = [], 0
    for start in range(len(written)):
        reach = max(reach - 1, 0)  # what stood there without its first character stands there, too
        while start + reach < len(written) and written[start : start + reach + 1] in text:
            reach += 1
        lengths.append(reach)
    return np.array(lengths)


def apart(lengths, least, begin=0, stop=None):
    """Copies of at least `least` characters that share none, the longest taken first: [(start, stop)]."""
    stop = len(lengths) if stop is None else stop
    inside = np.minimum(lengths[begin:stop], np.arange(stop - begin, 0, -1))
    if not len(inside) or inside.max() < least:
        return []
    start = begin + int(inside.argmax())
    after = start + int(inside.max())
    return [*apart(lengths, least, begin, start), (start, after), *apart(lengths, least, after, stop)]
