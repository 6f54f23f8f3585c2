import { float32, keepMask, sum, uniform } from "./core.js";
import { frame } from "./ui.js";

const SIZES = [4, 6, 6, 2], LAYERS = ["input", "hidden 1", "hidden 2", "output"];
const FEATURES = ["sepal length", "sepal width", "petal length", "petal width"];
const CLASSES = ["versicolor", "virginica"];
const WIDTH = 860, HEIGHT = 604, RADIUS = 22, MIDDLE = 226, GAP = 55, COLUMN_X = [160, 325, 490, 640];
const ALL_PATHS = 288, MOST_SAVED = 6, FULL_ARC = 6;

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

function place(layer, unit) {
  return [COLUMN_X[layer], MIDDLE + (unit - (SIZES[layer] - 1) / 2) * GAP];
}

function cross(g, x, y, r, colour) {
  g.strokeStyle = colour;
  g.lineWidth = Math.max(2, r / 3);
  g.beginPath();
  g.moveTo(x - r, y - r); g.lineTo(x + r, y + r);
  g.moveTo(x + r, y - r); g.lineTo(x - r, y + r);
  g.stroke();
}

// The subnetwork of one saved seed, about 130 x 70 pixels.
function thumbnail(g, colours, keep, x, y) {
  const spot = (layer, unit) => [x + 8 + layer * 38, y + 32 + (unit - (SIZES[layer] - 1) / 2) * 12];
  g.strokeStyle = colours.first;
  g.lineWidth = 1;
  g.beginPath();
  for (let k = 0; k < 3; k++)
    for (let a = 0; a < SIZES[k]; a++)
      for (let b = 0; b < SIZES[k + 1]; b++)
        if (keep[k][a] && keep[k + 1][b]) { g.moveTo(...spot(k, a)); g.lineTo(...spot(k + 1, b)); }
  g.stroke();
  keep.forEach((units, k) => units.forEach((kept, j) => {
    const [cx, cy] = spot(k, j);
    if (!kept) { cross(g, cx, cy, 3, colours.second); return; }
    g.fillStyle = colours.first;
    g.beginPath(); g.arc(cx, cy, 4, 0, 2 * Math.PI); g.fill();
  }));
}

function legend(g, colours, y) {
  const line = (x, colour, dash, words) => {
    g.strokeStyle = colour;
    g.lineWidth = 3;
    g.setLineDash(dash);
    g.beginPath(); g.moveTo(x, y - 5); g.lineTo(x + 34, y - 5); g.stroke();
    g.setLineDash([]);
    g.fillStyle = colours.ink;
    g.fillText(words, x + 42, y);
  };
  line(4, colours.first, [], "pushes up");
  line(134, colours.fourth, [7, 4], "pushes down (wider: more)");
  cross(g, 390, y - 5, 6, colours.second);
  g.fillText("dropped", 404, y);
  g.strokeStyle = colours.first;
  g.lineWidth = 5;
  g.beginPath(); g.arc(492, y - 5, 8, -Math.PI / 2, Math.PI / 2); g.stroke();
  g.fillText("number and arc: what a hidden unit passes on", 508, y);
}

function render({ model, el }) {
  const weights = float32(model.get("weights")), inputs = float32(model.get("inputs"));
  const flowers = model.get("flowers");
  let hovered = null;

  const pass = (seed, on) => {
    const start = 4 * model.get("flower");
    return thinned(weights, inputs.subarray(start, start + 4), [model.get("p1"), model.get("p2")], seed, on);
  };

  const drawEdges = (g, colours, net, traced) => {
    for (let k = 0; k < 3; k++)
      for (let a = 0; a < SIZES[k]; a++)
        for (let b = 0; b < SIZES[k + 1]; b++) {
          if (!net.keep[k][a] || !net.keep[k + 1][b]) continue;
          const carried = net.layers[k][a] * weights[weightIndex(k, a, b)];
          g.globalAlpha = traced[k][a] && traced[k + 1][b] ? 0.95 : 0.16;
          g.strokeStyle = carried >= 0 ? colours.first : colours.fourth;
          g.setLineDash(carried >= 0 ? [] : [7, 4]);
          g.lineWidth = Math.min(6, 0.8 + Math.abs(carried));
          g.beginPath(); g.moveTo(...place(k, a)); g.lineTo(...place(k + 1, b)); g.stroke();
        }
    g.globalAlpha = 1;
    g.setLineDash([]);
  };

  const drawUnit = (g, colours, net, k, j, trace) => {
    const [x, y] = place(k, j);
    const kept = net.keep[k][j], value = net.layers[k][j];
    g.fillStyle = colours.paper;
    g.strokeStyle = kept ? colours.ink : colours.faint;
    g.lineWidth = 1.5;
    g.setLineDash(kept ? [] : [4, 4]);
    g.beginPath(); g.arc(x, y, RADIUS, 0, 2 * Math.PI); g.fill(); g.stroke();
    g.setLineDash([]);
    if (!kept) cross(g, x, y, 9, colours.second);
    else {
      if (k === 1 || k === 2) {
        g.strokeStyle = colours.first;
        g.lineWidth = 5;
        const share = Math.min(1, value / FULL_ARC);
        g.beginPath(); g.arc(x, y, RADIUS - 2.5, -Math.PI / 2, (2 * share - 0.5) * Math.PI); g.stroke();
      }
      g.fillStyle = colours.ink;
      g.textAlign = "center";
      const short = value.toFixed(Math.abs(value) < 9.95 ? 1 : 0);
      g.fillText(short === "-0.0" ? "0.0" : short, x, y + 5.5);
    }
    if (trace === `${LAYERS[k]}.${j + 1}`) {
      g.strokeStyle = colours.ink;
      g.lineWidth = 3;
      g.strokeRect(x - RADIUS - 4, y - RADIUS - 4, 2 * RADIUS + 8, 2 * RADIUS + 8);
    }
  };

  const drawWords = (g, colours, net, on) => {
    const flower = flowers[model.get("flower")];
    g.fillStyle = colours.ink;
    g.textAlign = "center";
    g.fillText("a flower", COLUMN_X[0] - 60, 24);
    g.fillText("(standardised)", COLUMN_X[0] - 60, 46);
    [1, 2].forEach((k) => {
      const p = model.get(`p${k}`);
      g.fillText(`hidden ${k}: ${sum(net.keep[k])} of 6`, COLUMN_X[k], 24);
      const scale = !on ? "not scaled" : p < 1 ? `kept × ${(1 / (1 - p)).toFixed(2)}` : "all dropped";
      g.fillText(scale, COLUMN_X[k], 46);
    });
    g.fillText("probability", COLUMN_X[3] + 108, 24);
    g.textAlign = "right";
    FEATURES.forEach((name, j) => {
      const [x, y] = place(0, j);
      g.fillText(name, x - RADIUS - 10, y - 2);
      g.fillText(`${flower.centimetres[j].toFixed(1)} cm`, x - RADIUS - 10, y + 18);
    });
    g.textAlign = "left";
    CLASSES.forEach((name, j) => {
      const [x, y] = place(3, j);
      const left = x + RADIUS + 12;
      g.fillText(`${name} ${net.probs[j].toFixed(2)}${flower.label === j ? " ✓" : ""}`, left, y - 4);
      g.strokeStyle = colours.ink;
      g.lineWidth = 1;
      g.strokeRect(left, y + 4, 150, 13);
      g.fillStyle = colours.third;
      g.fillRect(left + 1, y + 5, 148 * net.probs[j], 11);
      g.fillStyle = colours.ink;
    });
    g.fillText("✓ = the true species", COLUMN_X[3] + RADIUS + 12, MIDDLE + 80);
  };

  const drawStrip = (g, colours) => {
    const saved = model.get("saved");
    g.fillStyle = colours.ink;
    g.textAlign = "left";
    g.fillText(saved.length
      ? "Kept draws at the present p1 and p2. Same weights, another mask, another P(virginica):"
      : "“Keep this subnetwork” puts the draw on show here, to compare it with others.", 4, 486);
    g.strokeStyle = colours.faint;
    g.lineWidth = 1;
    g.setLineDash([4, 4]);
    for (let i = saved.length; i < MOST_SAVED; i++) g.strokeRect(4.5 + i * 143, 496.5, 130, 98);
    g.setLineDash([]);
    saved.forEach((seed, i) => {
      const net = pass(seed, true), x = 4 + i * 143;
      thumbnail(g, colours, net.keep, x, 498);
      g.fillStyle = colours.ink;
      g.textAlign = "left";
      g.fillText(`draw ${seed}: ${net.probs[1].toFixed(2)}`, x, 590);
    });
  };

  const draw = (g, colours) => {
    const on = model.get("mode") === "train";
    const net = pass(model.get("seed"), on);
    const trace = hovered ?? model.get("trace");
    const traced = tracedUnits(net.keep, trace);
    drawEdges(g, colours, net, traced);
    SIZES.forEach((size, k) => { for (let j = 0; j < size; j++) drawUnit(g, colours, net, k, j, trace); });
    drawWords(g, colours, net, on);
    g.textAlign = "left";
    legend(g, colours, 450);
    g.strokeStyle = colours.faint;
    g.lineWidth = 1;
    g.beginPath(); g.moveTo(0, 464); g.lineTo(WIDTH, 464); g.stroke();
    drawStrip(g, colours);
    const silent = sum(net.layers[1]) === 0 || sum(net.layers[2]) === 0;
    const warning = !net.paths ? "No path is left: whatever the flower, the answer is the same."
      : silent ? "Paths are left, but no signal: every kept unit of a layer is silent (ReLU 0)." : "";
    g.font = "bold 17px sans-serif";
    g.fillStyle = colours.ink;
    g.textAlign = "center";
    g.fillText(warning, (COLUMN_X[1] + COLUMN_X[2]) / 2, 421);
    const chance = on ? (1 - model.get("p1") ** 6) * (1 - model.get("p2") ** 6) : 1;
    const through = trace === "none" ? "" : `, through ${trace}: ${traced.map(sum).reduce((a, b) => a * b)}`;
    const full = pass(0, false).probs[1];
    return {
      text: `paths left: ${net.paths} of ${ALL_PATHS}${through} · `
        + `chance that any is left: ${(100 * chance).toFixed(1)} % · `
        + `P(virginica): ${net.probs[1].toFixed(3)}, with all units ${full.toFixed(3)} · `
        + "one of 2¹² = 4,096 subnetworks that share 86 weights and biases",
      label: `Hidden units kept: ${sum(net.keep[1])} and ${sum(net.keep[2])} of 6. `
        + `${net.paths || "No"} paths left. `
        + `Probability of virginica ${net.probs[1].toFixed(2)}. ${warning}`,
    };
  };

  const ui = frame(model, el, { width: WIDTH, height: HEIGHT, draw });
  ui.slider("p1", "drop probability p1", { min: 0, max: 1, step: 0.01 });
  ui.slider("p2", "drop probability p2", { min: 0, max: 1, step: 0.01 });
  ui.choice("flower", "flower", flowers.map((f, i) => [i, `${i}: ${CLASSES[f.label]}`]));
  ui.choice("mode", "mode", [["train", "train: dropout on"], ["eval", "eval: all units"]]);
  const units = SIZES.flatMap((size, k) => Array.from({ length: size }, (_, j) => `${LAYERS[k]}.${j + 1}`));
  ui.choice("trace", "paths through", [["none", "any unit"], ...units.map((unit) => [unit, unit])]);
  ui.button("New draw", () => ui.set({ seed: model.get("seed") + 1 }));
  ui.button("Keep this subnetwork", () => {
    const others = model.get("saved").filter((seed) => seed !== model.get("seed"));
    ui.set({ saved: [...others, model.get("seed")].slice(-MOST_SAVED) });
  });

  const unitAt = (event) => {
    const box = ui.canvas.getBoundingClientRect();
    const scale = WIDTH / box.width;
    const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
    return units.find((unit) => {
      const [layer, number] = unit.split(".");
      const [x, y] = place(LAYERS.indexOf(layer), number - 1);
      return Math.hypot(px - x, py - y) <= RADIUS + 4;
    }) ?? null;
  };
  const hover = (unit) => {
    if (unit === hovered) return;
    hovered = unit;
    ui.canvas.style.cursor = unit ? "pointer" : "";
    ui.redraw();
  };
  ui.canvas.addEventListener("pointermove", (event) => hover(unitAt(event)));
  ui.canvas.addEventListener("pointerleave", () => hover(null));
  ui.canvas.addEventListener("click", (event) => {
    const unit = unitAt(event);
    if (unit) ui.set({ trace: unit === model.get("trace") ? "none" : unit });
  });
  return ui.finish();
}

export default { render };
