"""Measure again what the widgets show, and store it in data/.

`python3 course.py banks NAME ...` runs this; without names it says which there are. The code of each bank
lies beside its widget; the tests repeat a corner of each and compare.
"""

import sys

from utils.data import DATA_DIR, write_npz
from utils.widgets import (
    are_you_calibrated_bank,
    coadaptation_lens_bank,
    ensemble_vote_bank,
    how_many_passes_bank,
    mc_regression_bank,
    noise_you_cannot_feel_bank,
    overfit_race_bank,
    p_sweep_bank,
    scaling_balance_bank,
    thinned_network_bank,
    variance_shift_machine_bank,
)

BANKS = {
    "activations": scaling_balance_bank.build,
    "calibration": are_you_calibrated_bank.build,
    "lens": coadaptation_lens_bank.build,
    "noise": noise_you_cannot_feel_bank.build,
    "passes": how_many_passes_bank.build,
    "race": overfit_race_bank.build,
    "regression": mc_regression_bank.build,
    "shift": variance_shift_machine_bank.build,
    "sweep": p_sweep_bank.build,
    "thinned": thinned_network_bank.build,
    "vote": ensemble_vote_bank.build,
}


def main(names):
    unknown = [name for name in names if name not in BANKS]
    if unknown or not names:
        print(f"banks: name one or more of {', '.join(BANKS)}.", file=sys.stderr)
        return 1
    for name in names:
        target = DATA_DIR / f"bank_{name}.npz"
        write_npz(target, BANKS[name]())
        print(f"wrote {target.name} ({target.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
