import { float32, keepMask, mean, uniform, variance } from "./core.js";
import { NEEDS_KERNEL, frame, mark, plot } from "./ui.js";

const HIDDEN = 64, MOST_PASSES = 100, MOST_POINTS = 60, X_END = 4, Y_END = 3, INSIDE = 0, OUTSIDE = 3.5, SHOWN = 30;
const BOX = { x: 46, y: 34, width: 560, height: 330 }, SMALL = { x: 700, y: 34, width: 210, height: 330 };
const GRID = Array.from({ length: 65 }, (_, i) => -X_END + i / 8); // holds INSIDE and OUTSIDE exactly

// Keep-masks of 100 passes: for each pass 64 units of the first hidden layer, then 64 of the second.
export function passMasks(seed, p) {
  return keepMask(uniform(seed, MOST_PASSES * 2 * HIDDEN), p);
}

// W1, b1, W2 (row by row), b2, W3, b3 out of Python's numbers.
export function unpackWeights(flat) {
  const parts = [];
  let start = 0;
  for (const size of [HIDDEN, HIDDEN, HIDDEN * HIDDEN, HIDDEN, HIDDEN, 1])
    parts.push(Float64Array.from(flat.subarray(start, (start += size))));
  return parts;
}

// With one input, what enters the second layer is a straight line between the kinks of the first. So we walk
// along x and change slope and offset at each kink, for all passes at once.
// Here: which unit of the first layer switches on (+1) or off (-1), and from which place of xs.
export function switches([W1, b1], xs) {
  const list = [];
  for (let i = 0; i < HIDDEN; i++) {
    let on = false;
    xs.forEach((x, from) => {
      if (W1[i] * x + b1[i] > 0 === on) return;
      on = !on;
      list.push({ from, unit: i, sign: on ? 1 : -1 });
    });
  }
  return list.sort((a, b) => a.from - b.from);
}

// The passes first..last - 1 at the ascending places xs, with changes = switches(parts, xs): for each place
// the answers of all these passes. The loops over passes are the inner ones: they are long and do not branch.
export function mcPasses([W1, b1, W2, b2, W3, b3], xs, changes, masks, p, first, last) {
  const scale = p < 1 ? 1 / (1 - p) : 0, count = last - first;
  const factors = Array.from({ length: 2 * HIDDEN }, () => new Float64Array(count));
  for (let t = 0, place = first * 2 * HIDDEN; t < count; t++)
    for (let unit = 0; unit < 2 * HIDDEN; unit++) factors[unit][t] = scale * masks[place++];
  const answers = xs.map(() => new Float64Array(count).fill(b3[0]));
  const slope = new Float64Array(count), offset = new Float64Array(count), out = new Float64Array(count);
  for (let j = 0; j < HIDDEN; j++) {
    for (let t = 0; t < count; t++) out[t] = factors[HIDDEN + j][t] * W3[j];
    slope.fill(0);
    offset.fill(b2[j]);
    let k = 0;
    for (let place = 0; place < xs.length; place++) {
      for (; k < changes.length && changes[k].from === place; k++) {
        const { unit, sign } = changes[k];
        const weight = sign * W2[unit * HIDDEN + j];
        moveLines(slope, offset, factors[unit], weight * W1[unit], weight * b1[unit]);
      }
      addRectified(answers[place], slope, offset, xs[place], out);
    }
  }
  return answers;
}

function moveLines(slope, offset, factor, rise, lift) {
  for (let t = 0; t < factor.length; t++) {
    const f = factor[t];
    slope[t] += rise * f;
    offset[t] += lift * f;
  }
}

function addRectified(answer, slope, offset, x, out) {
  for (let t = 0; t < answer.length; t++) {
    const z = slope[t] * x + offset[t];
    if (z > 0) answer[t] += z * out[t];
  }
}

function render({ model, el }) {
  let parts, changes;
  const readWeights = () => {
    parts = unpackWeights(float32(model.get("weights")));
    changes = switches(parts, GRID);
  };
  readWeights();
  let waiting = false;
  let note = "";

  const draw = (g, colours) => {
    const [p, passes, show, seed, points] = ["p", "passes", "show", "seed", "points"].map((key) => model.get(key));
    const masks = passMasks(seed, p);
    const all = show === "all";
    const answers = mcPasses(parts, GRID, changes, masks, p, all ? 0 : passes - 1, passes);
    const at = (x) => answers[GRID.indexOf(x)];
    const [inside, outside] = [INSIDE, OUTSIDE].map(at).map((values) =>
      ({ values, mean: mean(values), std: Math.sqrt(variance(values)) }));

    const area = plot(g, colours, BOX, { xlim: [-X_END, X_END], ylim: [-Y_END, Y_END], xlabel: "x", ylabel: "y",
      xticks: [-4, -3, -2, -1, 0, 1, 2, 3, 4], yticks: [-3, -2, -1, 0, 1, 2, 3] });
    g.save();
    g.beginPath();
    g.rect(BOX.x, BOX.y, BOX.width, BOX.height);
    g.clip();
    if (all) {
      const centre = answers.map(mean), spread = answers.map((values) => Math.sqrt(variance(values)));
      area.band(GRID, centre.map((m, k) => m - 2 * spread[k]), centre.map((m, k) => m + 2 * spread[k]), colours.first);
      g.globalAlpha = 0.35;
      for (let t = 0; t < Math.min(SHOWN, passes); t++)
        area.line(GRID, answers.map((values) => values[t]), colours.fourth, { lineWidth: 1 });
      g.globalAlpha = 1;
      area.line(GRID, centre, colours.first, { lineWidth: 3 });
    } else area.line(GRID, answers.map((values) => values[0]), colours.fourth, { dash: [9, 5], lineWidth: 3 });
    g.fillStyle = colours.ink;
    for (const [x, y] of points) mark(g, "circle", area.X(x), area.Y(y));
    g.restore();

    if (all) {
      // Within what lines the running mean should stay: the last mean, +- std / sqrt(t).
      const running = [];
      inside.values.reduce((total, v, t) => ((running[t] = (total + v) / (t + 1)), total + v), 0);
      const steps = running.map((_, t) => t + 1);
      const reach = Math.max(2 * inside.std, 0.05);
      const ends = [inside.mean - reach, inside.mean, inside.mean + reach];
      const into = (v) => Math.min(ends[2], Math.max(ends[0], v));
      const settle = plot(g, colours, SMALL, { xlim: [0, Math.max(2, passes)], ylim: [ends[0], ends[2]], yticks: ends,
        xticks: [0, Math.max(2, passes)], xlabel: "passes so far", ylabel: "running mean at x = 0",
        format: (v) => (Number.isInteger(v) ? String(v) : v.toFixed(2)) });
      for (const sign of [-1, 1])
        settle.line(steps, steps.map((t) => into(inside.mean + (sign * inside.std) / Math.sqrt(t))), colours.second,
          { dash: [7, 5], lineWidth: 2 });
      settle.line(steps, running.map(into), colours.first);
    }

    const key = (words, colour, dash, x, lineWidth = 3) => {
      g.strokeStyle = colour;
      g.setLineDash(dash);
      g.lineWidth = lineWidth;
      g.beginPath(); g.moveTo(x, 434); g.lineTo(x + 34, 434); g.stroke();
      g.setLineDash([]);
      g.fillStyle = colours.ink;
      g.fillText(words, x + 42, 439);
    };
    g.textAlign = "left";
    if (all) {
      key("mean, band ± 2 std", colours.first, [], 46);
      key(passes > SHOWN ? `${SHOWN} single passes` : "single passes", colours.fourth, [], 250, 1.5);
      key("± std / √passes", colours.second, [7, 5], 700, 2);
    } else key(`pass ${passes}: what one thinned net believes`, colours.fourth, [9, 5], 46);
    g.fillStyle = colours.ink;
    mark(g, "circle", 436, 434);
    g.fillText(`${points.length} points (click to add)`, 448, 439);

    const say = (x, s) => `at x = ${x}: ${s.mean.toFixed(3)}${all ? ` (std ${s.std.toFixed(3)})` : ""}`;
    return {
      text: `${say(INSIDE, inside)} · ${say(OUTSIDE, outside)}`
        + (all ? ` · the mean at x = 0 is known to ± ${(inside.std / Math.sqrt(passes)).toFixed(4)}` : "")
        + (note || (waiting ? " · The points are new: the net is being trained by Python…" : "")),
      label: `${all ? `${passes} passes` : `Pass ${passes}`} at p ${p.toFixed(2)}, ${points.length} points: `
        + `${say(INSIDE, inside)}, ${say(OUTSIDE, outside)}`,
    };
  };

  const ui = frame(model, el, { width: 930, height: 450, draw });
  const setPoints = (points) => {
    note = model.withoutKernel ? ` · ${NEEDS_KERNEL}`
      : points.length > MOST_POINTS ? ` · At most ${MOST_POINTS} points.`
      : points.length < 2 ? " · At least 2 points." : "";
    if (note) ui.redraw();
    else ui.set({ points });
  };
  // Two decimals, inside the plot.
  const add = (x, y) => {
    const tidy = (v, end) => Math.round(100 * Math.min(end, Math.max(-end, v))) / 100;
    setPoints([...model.get("points"), [tidy(x, X_END), tidy(y, Y_END)]]);
  };
  ui.on("change:points", () => { waiting = true; note = ""; });
  ui.on("change:weights", () => {
    readWeights();
    waiting = false;
    ui.redraw();
  });
  ui.on("change:error", () => {
    if (model.get("error")) waiting = false;
    ui.redraw();
  });

  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.slider("passes", "passes T", { min: 1, max: MOST_PASSES, step: 1, digits: 0 });
  ui.choice("show", "show", [["all", "all T passes"], ["one", "pass T alone"]]);
  ui.button("New masks", () => ui.set({ seed: model.get("seed") + 1 }));

  // The keyboard's way to a new point.
  const field = (name, end) => {
    const box = document.createElement("label");
    box.className = "dw-choice";
    const input = document.createElement("input");
    Object.assign(input, { type: "number", min: -end, max: end, step: 0.1, value: 0 });
    input.style.cssText = "width: 5em; font-size: 15px";
    input.setAttribute("aria-label", `${name} of a new point`);
    input.setAttribute("data-lm-suppress-shortcuts", "true");
    box.append(`${name} `, input);
    ui.controls.append(box);
    return input;
  };
  const newX = field("x", X_END), newY = field("y", Y_END);
  ui.button("Add point", () => add(Number(newX.value), Number(newY.value)));
  ui.button("Remove last", () => setPoints(model.get("points").slice(0, -1)));
  ui.canvas.style.cursor = "crosshair";
  ui.canvas.addEventListener("click", (event) => {
    const box = ui.canvas.getBoundingClientRect();
    const scale = 930 / box.width;
    const x = ((event.clientX - box.left) * scale - BOX.x) / BOX.width;
    const y = ((event.clientY - box.top) * scale - BOX.y) / BOX.height;
    if (x >= 0 && x <= 1 && y >= 0 && y <= 1) add(X_END * (2 * x - 1), Y_END * (1 - 2 * y));
  });
  return ui.finish();
}

export default { render };
