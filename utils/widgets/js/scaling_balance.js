import { float32, histogram, keepMask, mean, sum, uniform, variance } from "./core.js";
import { axes, niceEnd } from "./plot.js";
import { frame, view } from "./ui.js";

const MODES = ["train", "eval"], NUM_UNITS = 64;
// The histogram's bins: fixed, so that one sees the values move out as p grows.
const HIGHEST = 12, NUM_BINS = 48, MOST_TILT = 20;
const NAMES = ["mean", "variance", "pre-activation (true class)"];

// What kept values are multiplied by in training, and all values in evaluation.
export function scales(p, scaling) {
  if (scaling === "inverted") return [p < 1 ? 1 / (1 - p) : 0, 1];
  return [1, scaling === "at test" ? 1 - p : 1];
}

// What the next layer receives.
export function received(hidden, { p, scaling, seed }, mode) {
  const [trainScale, evalScale] = scales(p, scaling);
  if (mode === "eval") return Array.from(hidden, (h) => h * evalScale);
  const mask = keepMask(uniform(seed, hidden.length), p);
  return Array.from(hidden, (h, i) => h * trainScale * mask[i]);
}

// Mean, variance and mean pre-activation: measured, expected over masks, and the standard error over masks.
export function balance(hidden, readers, bias, state, mode) {
  const values = received(hidden, state, mode);
  const read = (list) => {
    let total = 0;
    for (let i = 0; i < list.length; i++) total += list[i] * readers[i];
    return total / (list.length / NUM_UNITS);
  };
  const [trainScale, evalScale] = scales(state.p, state.scaling);
  const [scale, keep] = mode === "train" ? [trainScale, 1 - state.p] : [evalScale, 1];
  const m = mean(hidden);
  let square = 0;
  for (const h of hidden) square += (h * h) / hidden.length;
  const theory = [
    scale * keep * m, scale ** 2 * (keep * square - keep ** 2 * m ** 2), scale * keep * read(hidden) + bias,
  ];
  const changes = [0, 0, 0];
  hidden.forEach((h, i) => {
    const kept = scale * h;
    changes[0] += kept ** 2;
    changes[1] += (kept ** 2 - 2 * theory[0] * kept) ** 2;
    changes[2] += (kept * readers[i] * NUM_UNITS) ** 2;
  });
  const errors = changes.map((change) => Math.sqrt(keep * (1 - keep) * change) / hidden.length);
  return { measured: [mean(values), variance(values), read(values) + bias], theory, errors };
}

// How far the beam tips, in degrees, positive where evaluation weighs more.
export function tilt(train, evaluation) {
  if (train === evaluation) return 0;
  if (train === 0) return MOST_TILT;
  return Math.max(-MOST_TILT, Math.min(MOST_TILT, MOST_TILT * Math.log2(evaluation / train)));
}

export default view((model, el) => {
  const ui = frame(model, el);
  const hidden = float32(model.get("hidden")), readers = float32(model.get("readers"));
  const n = hidden.length;
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.choice("scaling", "scaling", [["inverted", "inverted: × 1/(1 − p) in train"],
    ["at test", "at test: × (1 − p) in eval"], ["none", "none"]]);
  ui.choice("mode", "counted in", MODES.map((mode) => [mode, mode]));
  ui.button("New draw", () => ui.set({ seed: model.get("seed") + 1 }));
  const share = ui.panel({ ratio: 40, tall: 1.4, most: 2, grow: 0 });
  const bars = ui.panel({ ratio: 2.4, tall: 10, most: 14, wide: 48, grow: 2.4 });
  const beam = ui.panel({ ratio: 1.2, tall: 8, most: 14, wide: 18 });
  bars.words({ title: "Train (up) and eval (down)", above: "share of all activations in %, zeros left out",
    below: `value that the next layer receives (${HIGHEST}: and above)` });
  const balances = NAMES.map((title) => ui.panel({ title, ratio: 3, tall: 6, most: 8, wide: 15 }));

  // One bar for all values: dropped, zero because of the ReLU, passed on.
  const drawShares = (pen, parts) => {
    let x = 0;
    for (const [series, count] of parts) {
      const w = (pen.width * count) / n;
      pen.ink(series, 1.5);
      if (series === "kept") pen.g.fillRect(x, 0, w, pen.height);
      if (series === "dropped") for (let at = x + pen.em; at < x + w - 0.5 * pen.em; at += pen.em) pen.mark("cross", at, pen.height / 2);
      pen.g.lineWidth = 1;
      pen.g.strokeRect(x + 0.5, 0.5, Math.max(0, w - 1), pen.height - 1);
      x += w;
    }
  };

  // A beam with the two means as weights: the heavier side sinks.
  const drawBeam = ({ g, look, width, height, em, thin, ink, segment }, means) => {
    const x = width / 2, y = 0.5 * height, arm = 0.36 * width, angle = (tilt(...means) * Math.PI) / 180;
    const largest = Math.max(...means, 1e-9), most = Math.min(0.34 * height, 0.22 * width);
    g.strokeStyle = g.fillStyle = look.ink;
    g.beginPath(); g.moveTo(x, y); g.lineTo(x + em, height - 1); g.lineTo(x - em, height - 1); g.closePath(); g.fill();
    g.lineWidth = 4 * thin;
    segment(x - arm * Math.cos(angle), y - arm * Math.sin(angle), x + arm * Math.cos(angle), y + arm * Math.sin(angle));
    MODES.forEach((mode, side) => {
      const at = side ? 1 : -1, size = most * Math.sqrt(means[side] / largest);
      const left = x + at * arm * Math.cos(angle) - size / 2, top = y + at * arm * Math.sin(angle) - size - 2 * thin;
      ink(mode, 2);
      if (side) g.strokeRect(left, top, size, size);
      else g.fillRect(left, top, size, size);
    });
  };

  // Two bars, train and eval, each with the line where theory expects its end, and one standard error.
  const drawBalance = (pen, pair, k) => {
    const end = niceEnd(Math.max(...MODES.flatMap((mode) => [pair[mode].measured[k], pair[mode].theory[k]])));
    const area = axes(pen, { xlim: [0, end], ylim: [0, 2], xticks: [0, 0.5, 1].map((part) => part * end), yticks: [] });
    const at = (v) => area.X(Math.min(end, Math.max(0, v)));
    MODES.forEach((mode, row) => {
      const { measured, theory, errors } = pair[mode];
      const high = area.inner.height / 2, top = area.inner.y + row * high;
      pen.ink(mode, 2);
      if (mode === "train") pen.g.fillRect(at(0), top + 0.2 * high, at(measured[k]) - at(0), 0.6 * high);
      else pen.g.strokeRect(at(0), top + 0.2 * high, at(measured[k]) - at(0), 0.6 * high);
      pen.ink("theory", 3);
      pen.segment(at(theory[k]), top + 0.05 * high, at(theory[k]), top + 0.95 * high);
      pen.g.setLineDash([]);
      pen.segment(at(theory[k] - errors[k]), top + 0.95 * high, at(theory[k] + errors[k]), top + 0.95 * high);
    });
  };

  return ui.start(() => {
    const s = Object.fromEntries(["p", "scaling", "mode", "seed"].map((key) => [key, model.get(key)]));
    const pair = Object.fromEntries(MODES.map((mode) => [mode, balance(hidden, readers, model.get("bias"), s, mode)]));

    const mask = s.mode === "train" ? keepMask(uniform(s.seed, n), s.p) : new Uint8Array(n).fill(1);
    const dropped = n - sum(mask);
    let silent = 0;
    for (let i = 0; i < n; i++) if (mask[i] && hidden[i] === 0) silent += 1;
    const parts = [["dropped", dropped], ["silent", silent], ["kept", n - dropped - silent]];
    const percent = parts.map(([, count]) => `${((100 * count) / n).toFixed(0)} %`);
    share.words({ title: `${n.toLocaleString("en")} activations in ${s.mode}: ${percent[0]} dropped, ${percent[1]} kept but 0 (ReLU), ${percent[2]} passed on` });
    share.paint((pen) => drawShares(pen, parts));

    const [up, down] = MODES.map((mode) => {
      const values = received(hidden, s, mode).filter((v) => v > 0);
      return histogram(values, 0, HIGHEST, NUM_BINS).map((count) => (100 * count) / n);
    });
    const tallest = [12, 24, 60, 100].find((end) => end >= Math.max(...up, ...down));
    bars.paint((pen) => {
      const area = axes(pen, { xlim: [0, HIGHEST], ylim: [-tallest, tallest], xticks: [0, 2, 4, 6, 8, 10, 12],
        yticks: [-tallest, -tallest / 2, 0, tallest / 2, tallest], yformat: (v) => Math.abs(v).toFixed(0) });
      area.bars(up, 0, HIGHEST, "train");
      area.bars(down.map((v) => -v), 0, HIGHEST, "eval");
      pen.ink("theory", 3);
      MODES.forEach((mode, side) => {
        const x = area.X(Math.min(HIGHEST, pair[mode].theory[0]));
        pen.segment(x, area.Y(0), x, area.Y(side ? -tallest : tallest));
      });
    });
    const means = MODES.map((mode) => pair[mode].measured[0]);
    beam.words({ title: "Which mean weighs more?", below: `train ${means[0].toFixed(2)} · eval ${means[1].toFixed(2)}` });
    beam.paint((pen) => drawBeam(pen, means));
    balances.forEach((panel, k) => {
      panel.words({ above: MODES.map((mode) => {
        const { measured, theory, errors } = pair[mode];
        return `${mode} ${measured[k].toFixed(2)}, theory ${theory[k].toFixed(2)}${errors[k] ? ` ± ${errors[k].toFixed(2)}` : ""}`;
      }).join(" · ") });
      panel.paint((pen) => drawBalance(pen, pair, k));
    });
    ui.legend([{ series: "dropped" }, { series: "silent" }, { series: "kept", name: "passed on" }, { series: "train", name: "train, measured" },
      { series: "eval", name: "eval, measured" }, { series: "theory", name: "theory, with one standard error" }]);
    const ratio = pair.eval.theory[0] / pair.train.theory[0];
    const verdict = s.p === 1 ? "p = 1: nothing passes in training, and no scaling can bring it back"
      : Math.abs(ratio - 1) < 1e-9 ? "balanced: eval mean = train mean in theory"
        : `out of balance: in eval the mean is ${ratio.toFixed(2)} times the mean in training`;
    const [m, v] = pair.train.theory;
    return {
      text: `${verdict} · in training: mean ${m.toFixed(3)}, variance ${v.toFixed(3)} (theory); `
        + `without dropout: mean ${mean(hidden).toFixed(3)}, variance ${variance(hidden).toFixed(3)}`,
      label: `Scaling ${s.scaling}, p ${s.p.toFixed(2)}. Train mean ${pair.train.measured[0].toFixed(2)}, `
        + `eval mean ${pair.eval.measured[0].toFixed(2)}. ${verdict}.`,
    };
  });
});
