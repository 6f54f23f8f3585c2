// Web pages without a kernel (exported pages, slides, a site): bring every widget on the page to life.
// A place is <div class="dw-place"><script type="application/json">{"view": ..., "state": ...}</script></div>.
import areYouCalibrated from "./are_you_calibrated.js";
import coadaptationLens from "./coadaptation_lens.js";
import ensembleVote from "./ensemble_vote.js";
import evalDetective from "./eval_detective.js";
import howManyPasses from "./how_many_passes.js";
import imageDropout from "./image_dropout.js";
import maskLab from "./mask_lab.js";
import mcRegression from "./mc_regression.js";
import noiseYouCannotFeel from "./noise_you_cannot_feel.js";
import overfitRace from "./overfit_race.js";
import pSweep from "./p_sweep.js";
import scalingBalance from "./scaling_balance.js";
import thinnedNetwork from "./thinned_network.js";
import varianceShiftMachine from "./variance_shift_machine.js";
import { staticModel } from "./static.js";

const VIEWS = {
  are_you_calibrated: areYouCalibrated,
  coadaptation_lens: coadaptationLens, ensemble_vote: ensembleVote, eval_detective: evalDetective,
  how_many_passes: howManyPasses, image_dropout: imageDropout, mask_lab: maskLab, mc_regression: mcRegression,
  noise_you_cannot_feel: noiseYouCannotFeel, overfit_race: overfitRace,
  p_sweep: pSweep, scaling_balance: scalingBalance, thinned_network: thinnedNetwork,
  variance_shift_machine: varianceShiftMachine,
};

// {name, model, el} of each widget that was brought to life, in the order of the page.
export const alive = [...document.querySelectorAll(".dw-place")].map((el) => {
  const { view, state } = JSON.parse(el.querySelector("script[type='application/json']").textContent);
  const model = staticModel(state);
  el.replaceChildren();
  VIEWS[view].render({ model, el });
  return { name: view, model, el };
});
