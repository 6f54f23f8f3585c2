import { float32, keepMask, mean, sum, uniform } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const SIZES = [4, 6, 6, 2], LAYERS = ["input", "hidden 1", "hidden 2", "output"];
const FEATURES = ["sepal length", "sepal width", "petal length", "petal width"];
const CLASSES = ["versicolor", "virginica"];
const ALL_PATHS = 288, MOST_SAVED = 6, MOST_DRAWS = 500, FULL_ARC = 6, MS_PER_DRAW = 200;

// The index in `weights` of W[layer][from][to]; with `from` = the layer's size, of the bias b[layer][to].
export function weightIndex(layer, from, to) {
  let start = 0;
  for (let k = 0; k < layer; k++) start += (SIZES[k] + 1) * SIZES[k + 1];
  return start + from * SIZES[layer + 1] + to;
}

// One forward pass. ps: the two drop probabilities; on: dropout is on. Returns keep (which units of each
// layer are on), layers (values after dropout; the last are logits), probs and the number of paths.
export function thinned(weights, x, ps, seed, on) {
  const U = uniform(seed, 12);
  const keep = [[1, 1, 1, 1], ...[0, 1].map((k) =>
    on ? [...keepMask(U.subarray(6 * k, 6 * k + 6), ps[k])] : new Array(6).fill(1)), [1, 1]];
  const layers = [[...x]];
  for (let k = 0; k < 3; k++) {
    const next = [];
    for (let to = 0; to < SIZES[k + 1]; to++) {
      let value = weights[weightIndex(k, SIZES[k], to)];
      for (let from = 0; from < SIZES[k]; from++)
        value += layers[k][from] * weights[weightIndex(k, from, to)];
      if (k < 2) value = keep[k + 1][to] ? Math.max(0, value) / (on ? 1 - ps[k] : 1) : 0;
      next.push(value);
    }
    layers.push(next);
  }
  const top = Math.max(...layers[3]);
  const exp = layers[3].map((v) => Math.exp(v - top));
  return { keep, layers, probs: exp.map((v) => v / sum(exp)), paths: 8 * sum(keep[1]) * sum(keep[2]) };
}

// Which units lie on a path from input to output through the unit `trace` ("none": through any unit).
export function tracedUnits(keep, trace) {
  const alive = keep.map((units) => [...units]);
  if (trace !== "none") {
    const [layer, unit] = trace.split(".");
    const k = LAYERS.indexOf(layer);
    alive[k] = alive[k].map((kept, j) => (j === unit - 1 ? kept : 0));
  }
  return alive.every((units) => sum(units) > 0) ? alive : alive.map((units) => units.map(() => 0));
}

// The series of a line that carries this value; the twin of push() in thinned_network.py.
export function push(carried) {
  return carried > 0 ? "up" : carried < 0 ? "down" : "nothing";
}

// Every line between units that are on: {layer, from, to, carried}.
export function lines(weights, net) {
  const list = [];
  for (let k = 0; k < 3; k++)
    for (let a = 0; a < SIZES[k]; a++)
      for (let b = 0; b < SIZES[k + 1]; b++)
        if (net.keep[k][a] && net.keep[k + 1][b])
          list.push({ layer: k, from: a, to: b, carried: net.layers[k][a] * weights[weightIndex(k, a, b)] });
  return list;
}

// The subnetwork of one saved seed.
function thumbnail(pen, keep) {
  const { g, width, height } = pen;
  const spot = (layer, unit) => [width * (0.08 + 0.28 * layer), height * (0.5 + (unit - (SIZES[layer] - 1) / 2) / 6.5)];
  pen.ink("up", 1);
  for (let k = 0; k < 3; k++)
    for (let a = 0; a < SIZES[k]; a++)
      for (let b = 0; b < SIZES[k + 1]; b++)
        if (keep[k][a] && keep[k + 1][b]) pen.segment(...spot(k, a), ...spot(k + 1, b));
  keep.forEach((units, k) => units.forEach((kept, j) => {
    pen.ink(kept ? "kept" : "dropped");
    pen.mark(kept ? "circle" : "cross", ...spot(k, j), 0.8);
  }));
}

export default view((model, el) => {
  const ui = frame(model, el);
  const weights = float32(model.get("weights")), inputs = float32(model.get("inputs"));
  const flowers = model.get("flowers");
  const units = SIZES.flatMap((size, k) => Array.from({ length: size }, (_, j) => `${LAYERS[k]}.${j + 1}`));
  let hovered = null;
  let layout = { spots: [], radius: 0 };

  ui.slider("p1", "drop probability p1", { min: 0, max: 1, step: 0.01 });
  ui.slider("p2", "drop probability p2", { min: 0, max: 1, step: 0.01 });
  ui.choice("flower", "flower", flowers.map((f, i) => [i, `${i}: ${CLASSES[f.label]}`]));
  ui.choice("mode", "mode", [["train", "train: dropout on"], ["eval", "eval: all units"]]);
  ui.choice("trace", "paths through", [["none", "any unit"], ...units.map((unit) => [unit, unit])]);
  const shownSeed = () => model.get("seed") + model.get("draws") - 1;
  const newDraw = () => {
    if (model.get("draws") === MOST_DRAWS) return false;
    ui.set({ draws: model.get("draws") + 1 });
    return true;
  };
  ui.button("New draw", newDraw);
  ui.play("Play: draw after draw", "Stop", { every: MS_PER_DRAW, tick: newDraw });
  ui.button("Keep this subnetwork", () => {
    const others = model.get("saved").filter((seed) => seed !== shownSeed());
    ui.set({ saved: [...others, shownSeed()].slice(-MOST_SAVED) });
  });
  const main = ui.panel({ ratio: 2, tall: 20, grow: 0, focus: true });
  const bar = ui.panel({ tall: 3.4, fixed: true, grow: 0 });
  const strip = Array.from({ length: MOST_SAVED }, () => ui.panel({ ratio: 1.9, tall: 4, most: 6, wide: 8 }));

  const pass = (seed, on) => {
    const start = 4 * model.get("flower");
    return thinned(weights, inputs.subarray(start, start + 4), [model.get("p1"), model.get("p2")], seed, on);
  };

  // Names left and right of the net, the four layers between them. Where that is too narrow, the names are HTML.
  const arrange = (pen) => {
    const { width, height, em } = pen;
    const radius = Math.min(1.4 * em, height / 14, width / 16);
    let left = Math.max(...FEATURES.map((name) => pen.measure(name))) + radius + 0.8 * em;
    let right = Math.max(...CLASSES.map((name) => pen.measure(`${name} 0.00 ✓`))) + radius + 0.8 * em;
    const roomy = width - left - right > 15 * radius && height / 6.3 > 2.5 * em;
    if (!roomy) left = right = radius + 6;
    const spots = SIZES.map((size, k) => Array.from({ length: size }, (_, j) =>
      [left + ((width - left - right) * k) / 3, height / 2 + (j - (size - 1) / 2) * (height / 6.3)]));
    layout = { spots, radius, roomy };
  };

  const drawLines = (pen, net, traced) => {
    for (const { layer, from, to, carried } of lines(weights, net)) {
      pen.g.globalAlpha = traced[layer][from] && traced[layer + 1][to] ? 0.95 : 0.16;
      pen.ink(push(carried), Math.min(6, 0.8 + Math.abs(carried)));
      if (push(carried) === "down") pen.g.setLineDash([7 * pen.thin, 4 * pen.thin]);
      pen.segment(...layout.spots[layer][from], ...layout.spots[layer + 1][to]);
    }
    pen.g.globalAlpha = 1;
    pen.g.setLineDash([]);
  };

  const drawUnit = (pen, look, net, k, j, trace) => {
    const { g, thin } = pen, { radius } = layout;
    const [x, y] = layout.spots[k][j];
    const kept = net.keep[k][j], value = net.layers[k][j];
    g.fillStyle = look.paper;
    g.strokeStyle = kept ? look.ink : look.faint;
    g.lineWidth = 1.5 * thin;
    g.setLineDash(kept ? [] : [4, 4]);
    g.beginPath(); g.arc(x, y, radius, 0, 2 * Math.PI); g.fill(); g.stroke();
    g.setLineDash([]);
    if (!kept) {
      pen.ink("dropped", 3);
      pen.mark("cross", x, y, 1.8);
    } else {
      if (k === 1 || k === 2) {
        pen.ink("up", 5);
        const share = Math.min(1, value / FULL_ARC);
        g.beginPath(); g.arc(x, y, radius - 2.5 * thin, -Math.PI / 2, (2 * share - 0.5) * Math.PI); g.stroke();
      }
      const short = value.toFixed(Math.abs(value) < 9.95 ? 1 : 0);
      pen.write(short === "-0.0" ? "0.0" : short, x, y, { align: "center" });
    }
    if (trace === `${LAYERS[k]}.${j + 1}`) {
      g.strokeStyle = look.ink;
      g.lineWidth = 3 * thin;
      g.strokeRect(x - radius - 4, y - radius - 4, 2 * radius + 8, 2 * radius + 8);
    }
  };

  const drawNames = (pen, look, net) => {
    const { g, em } = pen, { spots, radius } = layout;
    const flower = flowers[model.get("flower")];
    FEATURES.forEach((name, j) => {
      const [x, y] = spots[0][j];
      pen.write(name, x - radius - 0.5 * em, y - 0.65 * em, { align: "right" });
      pen.write(`${flower.centimetres[j].toFixed(1)} cm`, x - radius - 0.5 * em, y + 0.65 * em, { align: "right" });
    });
    CLASSES.forEach((name, j) => {
      const [x, y] = spots[3][j];
      const left = x + radius + 0.5 * em, wide = pen.width - left - 2;
      pen.write(`${name} ${net.probs[j].toFixed(2)}${flower.label === j ? " ✓" : ""}`, left, y - 0.5 * em);
      g.strokeStyle = look.ink;
      g.lineWidth = 1;
      g.strokeRect(left, y + 0.2 * em, wide, 0.8 * em);
      g.fillStyle = look.green;
      g.fillRect(left + 1, y + 0.2 * em + 1, (wide - 2) * net.probs[j], 0.8 * em - 2);
    });
  };

  const unitAt = ({ x, y }) => units.find((unit) => {
    const [layer, number] = unit.split(".");
    const [cx, cy] = layout.spots[LAYERS.indexOf(layer)][number - 1];
    return Math.hypot(x - cx, y - cy) <= layout.radius + 4;
  }) ?? null;
  const hover = (unit) => {
    if (unit === hovered) return;
    hovered = unit;
    main.canvas.style.cursor = unit ? "pointer" : "";
    ui.redraw();
  };
  main.canvas.addEventListener("pointermove", (event) => hover(unitAt(main.point(event))));
  main.canvas.addEventListener("pointerleave", () => hover(null));
  const chosen = ui.pick(main, {
    at: unitAt,
    move(unit, key) {
      if (unit === null) return units[0];
      const [layer, number] = unit.split(".");
      const [k, j] = [LAYERS.indexOf(layer), number - 1];
      const layerNow = Math.min(3, Math.max(0, k + ({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? 0)));
      const steps = { ArrowUp: -1, ArrowDown: 1, Home: -9, End: 9 }[key] ?? 0;
      return `${LAYERS[layerNow]}.${Math.min(SIZES[layerNow] - 1, Math.max(0, j + steps)) + 1}`;
    },
    press: (unit) => ui.set({ trace: unit === model.get("trace") ? "none" : unit }),
    say: (unit) => `${unit}${unit === model.get("trace") ? ": its paths are shown" : ""}`,
  });

  return ui.start((look) => {
    const on = model.get("mode") === "train", flower = flowers[model.get("flower")];
    const net = pass(shownSeed(), on), draws = model.get("draws");
    const answers = Array.from({ length: draws }, (_, k) => pass(model.get("seed") + k, true).probs[1]);
    const full = pass(0, false).probs[1];
    const trace = hovered ?? chosen.now ?? model.get("trace");
    const traced = tracedUnits(net.keep, trace);
    const silent = sum(net.layers[1]) === 0 || sum(net.layers[2]) === 0;
    const warning = !net.paths ? "No path is left: whatever the flower, the answer is the same."
      : silent ? "Paths are left, but no signal: every kept unit of a layer is silent (ReLU 0)." : "";
    const heads = [1, 2].map((k) => {
      const p = model.get(`p${k}`);
      const scale = !on ? "not scaled" : p < 1 ? `kept × ${(1 / (1 - p)).toFixed(2)}` : "all dropped";
      return `hidden ${k}: ${sum(net.keep[k])} of 6, ${scale}`;
    });
    main.words({ title: `A flower (standardised) goes in; ${heads.join("; ")}; two probabilities come out`,
      below: `${warning || "number and arc: what a hidden unit passes on; ✓ the true species"}` });
    main.paint((pen) => {
      arrange(pen);
      drawLines(pen, net, traced);
      SIZES.forEach((size, k) => { for (let j = 0; j < size; j++) drawUnit(pen, look, net, k, j, trace); });
      if (layout.roomy) drawNames(pen, look, net);
    });
    const names = [FEATURES.map((name, j) => `${name} ${flower.centimetres[j].toFixed(1)} cm`).join(", "),
      CLASSES.map((name, j) => `${name} ${net.probs[j].toFixed(2)}${flower.label === j ? " ✓" : ""}`).join(", ")];
    main.words({ above: layout.roomy ? "" : `In, from the top: ${names[0]}. Out: ${names[1]}.` });
    bar.words({ title: `P(virginica) of ${draws} draw${draws > 1 ? "s" : ""}: mean ${mean(answers).toFixed(3)}, with all units ${full.toFixed(3)}` });
    bar.paint((pen) => {
      const area = axes(pen, { xlim: [0, 1], ylim: [0, 1], xticks: [0, 0.25, 0.5, 0.75, 1], yticks: [] });
      answers.forEach((answer, k) => {
        pen.ink("draws", k === draws - 1 ? 4 : 1.5);
        pen.segment(area.X(answer), area.Y(k === draws - 1 ? 1 : 0.7), area.X(answer), area.Y(0));
      });
      for (const [series, value] of [["vote", mean(answers)], ["scaled", full]]) {
        pen.ink(series);
        pen.g.setLineDash([]);
        pen.mark(series === "vote" ? "circle" : "triangle", area.X(value), area.Y(0.4), 1.2);
      }
    });
    const saved = model.get("saved");
    strip.forEach((panel, i) => {
      panel.show(i < saved.length);
      if (i >= saved.length) return;
      const kept = pass(saved[i], true);
      panel.words({ title: `draw ${saved[i]}: ${kept.probs[1].toFixed(2)}` });
      panel.paint((pen) => thumbnail(pen, kept.keep));
    });
    ui.legend([{ series: "up" }, { series: "down", name: "pushes down (wider: more)" }, { series: "nothing" }, { series: "dropped" },
      { series: "draws" }, { series: "vote", name: "mean of the draws" }, { series: "scaled", name: "all units" }]);
    const chance = on ? (1 - model.get("p1") ** 6) * (1 - model.get("p2") ** 6) : 1;
    const through = trace === "none" ? "" : `, through ${trace}: ${traced.map(sum).reduce((a, b) => a * b)}`;
    return {
      text: `paths left: ${net.paths} of ${ALL_PATHS}${through} · `
        + `chance that any is left: ${(100 * chance).toFixed(1)} % · `
        + `P(virginica): ${net.probs[1].toFixed(3)} · `
        + "one of 2¹² = 4,096 subnetworks that share 86 weights and biases"
        + (saved.length ? " · kept draws, at the present p1 and p2: same weights, another mask" : ""),
      label: `Hidden units kept: ${sum(net.keep[1])} and ${sum(net.keep[2])} of 6. `
        + `${net.paths || "No"} paths left. `
        + `Probability of virginica ${net.probs[1].toFixed(2)}. ${warning}`,
    };
  });
});
