import { float32, histogram, keepMask, mean, sum, uniform, variance } from "./core.js";
import { frame, plot } from "./ui.js";

const MODES = ["train", "eval"], NUM_UNITS = 64;
// The histogram's bins: fixed, so that one sees the values move out as p grows.
const HIGHEST = 12, NUM_BINS = 48;
const WIDTH = 860, HEIGHT = 500, LEFT = 70;

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

// The smallest of 1, 2, 5, 10, 20, ... that is at least the value: the end of an axis.
export function niceEnd(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((k) => k * power).find((end) => end >= value);
}

function render({ model, el }) {
  const hidden = float32(model.get("hidden")), readers = float32(model.get("readers"));
  const state = () =>
    Object.fromEntries(["p", "scaling", "mode", "seed"].map((key) => [key, model.get(key)]));

  // One bar for all 2,048 values: dropped, zero because of the ReLU, passed on.
  const drawShares = (g, colours, s) => {
    const n = hidden.length;
    const mask = s.mode === "train" ? keepMask(uniform(s.seed, n), s.p) : new Uint8Array(n).fill(1);
    const dropped = n - sum(mask);
    let silent = 0;
    for (let i = 0; i < n; i++) if (mask[i] && hidden[i] === 0) silent += 1;
    const parts = [["dropped", dropped, colours.second, "cross"],
      ["0 by ReLU", silent, colours.faint, "none"],
      ["passed on", n - dropped - silent, colours.first, "full"]];
    let x = LEFT;
    const wide = WIDTH - LEFT - 20;
    parts.forEach(([, count, colour, style]) => {
      const w = (wide * count) / n;
      g.strokeStyle = colours.ink;
      g.lineWidth = 1;
      g.fillStyle = colour;
      if (style === "full") g.fillRect(x, 30, w, 16);
      if (style === "cross") {
        g.strokeStyle = colour;
        g.lineWidth = 2;
        g.beginPath();
        for (let at = x + 8; at < x + w - 5; at += 16) {
          g.moveTo(at - 4, 34); g.lineTo(at + 4, 42); g.moveTo(at + 4, 34); g.lineTo(at - 4, 42);
        }
        g.stroke();
        g.strokeStyle = colours.ink;
        g.lineWidth = 1;
      }
      g.strokeRect(x, 30, w, 16);
      x += w;
    });
    g.fillStyle = colours.ink;
    g.textAlign = "left";
    const words = parts.map(([name, count], i) =>
      `${["×", "□", "■"][i]} ${name} ${((100 * count) / n).toFixed(0)} %`);
    g.fillText(`2,048 activations in ${s.mode}:   ${words.join("     ")}`, LEFT, 20);
  };

  const drawHistogram = (g, colours, s) => {
    const values = received(hidden, s, s.mode).filter((v) => v > 0);
    const shares = histogram(values, 0, HIGHEST, NUM_BINS).map((count) => (100 * count) / hidden.length);
    const tallest = [12, 24, 60].find((end) => end >= Math.max(...shares));
    const area = plot(g, colours, { x: LEFT, y: 88, width: WIDTH - LEFT - 20, height: 150 }, {
      xlim: [0, HIGHEST], ylim: [0, tallest], xticks: [0, 2, 4, 6, 8, 10, 12],
      yticks: [0, tallest / 3, (2 * tallest) / 3, tallest],
      xlabel: "value that the next layer receives (12: and above)",
      ylabel: "share of all activations in %, zeros left out",
    });
    g.fillStyle = colours.first;
    shares.forEach((share, k) => {
      const x = area.X((k * HIGHEST) / NUM_BINS), top = area.Y(share);
      g.fillRect(x + 1, top, area.X(((k + 1) * HIGHEST) / NUM_BINS) - x - 2, area.Y(0) - top);
    });
  };

  // Two bars, train and eval, each with the line where theory expects its end.
  const drawBalance = (g, colours, s, pair, k, x) => {
    const names = ["mean", "variance", "pre-activation (true class)"];
    const wide = 250;
    const end = niceEnd(Math.max(...MODES.flatMap((mode) => [pair[mode].measured[k], pair[mode].theory[k]])));
    const at = (v) => x + (wide * Math.min(end, Math.max(0, v))) / end;
    g.font = "bold 16px sans-serif";
    g.fillStyle = colours.ink;
    g.textAlign = "left";
    g.fillText(names[k], x, 316);
    MODES.forEach((mode, row) => {
      const top = 348 + 58 * row, measured = pair[mode].measured[k], theory = pair[mode].theory[k];
      const error = pair[mode].errors[k];
      const shown = mode === s.mode;
      g.font = shown ? "bold 16px sans-serif" : "16px sans-serif";
      g.fillStyle = colours.ink;
      g.fillText(`${shown ? "▸ " : ""}${mode}: ${measured.toFixed(2)}, theory ${theory.toFixed(2)}`
        + (error ? ` ± ${error.toFixed(2)}` : ""), x, top - 6);
      g.strokeStyle = g.fillStyle = mode === "train" ? colours.first : colours.third;
      g.lineWidth = 2;
      if (mode === "train") g.fillRect(x, top, at(measured) - x, 20);
      else g.strokeRect(x + 1, top + 1, Math.max(0, at(measured) - x - 2), 18);
      g.strokeStyle = colours.ink;
      g.lineWidth = 3;
      g.setLineDash([5, 3]);
      g.beginPath(); g.moveTo(at(theory), top); g.lineTo(at(theory), top + 27); g.stroke();
      g.setLineDash([]);
      g.beginPath();
      g.moveTo(at(theory - error), top + 27); g.lineTo(at(theory + error), top + 27); g.stroke();
    });
    g.font = "16px sans-serif";
    g.strokeStyle = colours.ink;
    g.lineWidth = 1;
    g.fillStyle = colours.ink;
    g.beginPath(); g.moveTo(x, 444); g.lineTo(x + wide, 444); g.stroke();
    g.textAlign = "center";
    [0, 0.5, 1].forEach((share) => {
      g.beginPath(); g.moveTo(x + share * wide, 444); g.lineTo(x + share * wide, 450); g.stroke();
      g.fillText(String(share * end), x + share * wide, 468);
    });
  };

  const draw = (g, colours) => {
    const s = state();
    const pair = Object.fromEntries(MODES.map((mode) =>
      [mode, balance(hidden, readers, model.get("bias"), s, mode)]));
    drawShares(g, colours, s);
    drawHistogram(g, colours, s);
    [0, 1, 2].forEach((k) => drawBalance(g, colours, s, pair, k, 20 + k * 290));
    g.textAlign = "left";
    const key = "filled bar: train   outlined bar: eval   dashed line: theory, with one standard error";
    g.fillText(`${key}   ▸ shown above`, 20, 494);
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
  };

  const ui = frame(model, el, { width: WIDTH, height: HEIGHT, draw });
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.choice("scaling", "scaling", [["inverted", "inverted: × 1/(1 − p) in train"],
    ["at test", "at test: × (1 − p) in eval"], ["none", "none"]]);
  ui.choice("mode", "mode", MODES.map((mode) => [mode, mode]));
  ui.button("New draw", () => ui.set({ seed: model.get("seed") + 1 }));
  return ui.finish();
}

export default { render };
