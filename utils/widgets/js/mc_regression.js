import { float16, float32, keepMask, mean, uniform, variance } from "./core.js";
import { axes } from "./plot.js";
import { NEEDS_KERNEL, frame, view } from "./ui.js";

const HIDDEN = 64, MOST_PASSES = 100, MOST_POINTS = 60, X_END = 4, Y_END = 3, INSIDE = 0, OUTSIDE = 3.5, SHOWN = 30;
const LENGTH_SCALE = 0.7, NOISE = 0.12, MS_PER_PASS = 150;
const NET = 2 * HIDDEN + HIDDEN * HIDDEN + 2 * HIDDEN + 1; // numbers of one net: W1 b1, W2, b2 W3, b3
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

// Mean and standard deviation at each of xs of a Gaussian process given the points; the twin of gaussian_process() in
// mc_regression.py.
export function gaussianProcess(points, xs) {
  const kernel = (a, b) => Math.exp(-((a - b) ** 2) / (2 * LENGTH_SCALE ** 2)), n = points.length;
  // The Cholesky factor L of the covariance, and solutions of L v = b.
  const L = points.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let rest = kernel(points[i][0], points[j][0]) + (i === j ? NOISE ** 2 : 0);
      for (let k = 0; k < j; k++) rest -= L[i][k] * L[j][k];
      L[i][j] = i === j ? Math.sqrt(rest) : rest / L[j][j];
    }
  const solve = (b) => {
    const v = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let rest = b(points[i]);
      for (let k = 0; k < i; k++) rest -= L[i][k] * v[k];
      v[i] = rest / L[i][i];
    }
    return v;
  };
  const heights = solve(([, y]) => y);
  const halves = xs.map((x) => solve(([at]) => kernel(at, x)));
  return { mean: halves.map((half) => half.reduce((total, v, i) => total + v * heights[i], 0)),
    std: halves.map((half) => Math.sqrt(Math.max(0, half.reduce((rest, v) => rest - v * v, 1)))) };
}

export default view((model, el) => {
  const ui = frame(model, el);
  const presets = Object.values(model.get("presets")).map((points) => JSON.stringify(points));
  const grid = model.get("grid_p"), stored = float16(model.get("stored"));
  let parts = null, changes, used, fitted = "", exact, note = "";
  const presetOf = (points) => presets.indexOf(JSON.stringify(points));
  // The net for the p and the points on show: a stored one, or one that Python has trained. Until there is one, the
  // picture keeps the last one, and says so.
  const readNet = () => {
    const p = model.get("p"), points = model.get("points"), words = `${p} ${JSON.stringify(points)}`;
    if (fitted === words) return true;
    const preset = presetOf(points), place = grid.indexOf(p), trained = model.get("weights_p").indexOf(p);
    let flat;
    if (preset >= 0 && place >= 0) flat = stored.subarray((preset * grid.length + place) * NET);
    else if (trained >= 0 && JSON.stringify(model.get("weights_points")) === JSON.stringify(points))
      flat = float32(model.get("weights")).subarray(trained * NET);
    else if (parts) return false;
    else flat = stored.subarray(grid.indexOf(0.1) * NET);
    parts = unpackWeights(flat);
    changes = switches(parts, GRID);
    [fitted, used] = [words, p];
    return true;
  };

  ui.slider("p", "drop probability p", { values: grid });
  ui.slider("passes", "passes T", { min: 1, max: MOST_PASSES, step: 1, digits: 0 });
  ui.choice("show", "show", [["all", "all T passes"], ["one", "pass T alone"]]);
  const playing = ui.play("Play: pass by pass", "Stop", {
    every: MS_PER_PASS,
    started: () => ui.set({ passes: 1, show: "all" }),
    tick: () => model.get("passes") < MOST_PASSES && ui.set({ passes: model.get("passes") + 1 }),
  });
  ui.button("New masks", () => ui.set({ seed: model.get("seed") + 1 }));
  const setPoints = (points) => {
    note = ui.offline() && presetOf(points) < 0 ? ` · ${NEEDS_KERNEL}`
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
  const newX = ui.field("x", "x of a new point", { min: -X_END, max: X_END, step: 0.1, value: 0 });
  const newY = ui.field("y", "y of a new point", { min: -Y_END, max: Y_END, step: 0.1, value: 0 });
  ui.button("Add point", () => add(Number(newX.value), Number(newY.value)));
  ui.button("Remove last", () => setPoints(model.get("points").slice(0, -1)));
  for (const [name, words] of [["gap", "Gap"], ["lifted", "Lift y"], ["first", "First points"]])
    ui.button(words, () => setPoints(model.get("presets")[name]));
  ui.onReset(() => { note = ""; });
  ui.on("change:points", () => { note = ""; });
  ui.on("change:weights", ui.redraw);
  ui.on("change:error", ui.redraw);

  const place = ui.group(); // two axes to compare, at one height
  const main = ui.panel({ ratio: 1.5, tall: 13, wide: 20, place });
  const beside = ui.panel({ ratio: 1.5, tall: 13, wide: 20, place });
  const settling = ui.panel({ ratio: 5, tall: 7, most: 9, grow: 0 });
  main.words({ above: "y (click to add a point)", below: "x" });
  beside.words({ title: `Exact: a Gaussian process (length scale ${LENGTH_SCALE}, noise ${NOISE})`, above: "y", below: "x" });
  settling.words({ above: `running mean at x = ${INSIDE}`, below: "passes so far" });
  main.canvas.style.cursor = "crosshair";
  let area;
  main.canvas.addEventListener("click", (event) => {
    const { x, y } = main.point(event), { inner } = area;
    const [across, up] = [(x - inner.x) / inner.width, (inner.y + inner.height - y) / inner.height];
    if (across >= 0 && across <= 1 && up >= 0 && up <= 1) add(X_END * (2 * across - 1), Y_END * (2 * up - 1));
  });

  // Axes with the points, and what is drawn behind them.
  const drawPlot = (pen, points, behind) => {
    const plot = axes(pen, { xlim: [-X_END, X_END], ylim: [-Y_END, Y_END],
      xticks: [-4, -3, -2, -1, 0, 1, 2, 3, 4], yticks: [-3, -2, -1, 0, 1, 2, 3] });
    behind(plot);
    plot.inside(() => {
      pen.ink("points");
      for (const [x, y] of points) pen.mark("circle", plot.X(x), plot.Y(y));
    });
    return plot;
  };
  const band = (plot, centre, spread, series) =>
    plot.band(GRID, centre.map((m, k) => m - 2 * spread[k]), centre.map((m, k) => m + 2 * spread[k]), series);

  return ui.start(() => {
    const ready = readNet();
    const [p, passes, show, seed, points] = ["p", "passes", "show", "seed", "points"].map((key) => model.get(key));
    const all = show === "all";
    const answers = mcPasses(parts, GRID, changes, passMasks(seed, used), used, all ? 0 : passes - 1, passes);
    const at = (x) => answers[GRID.indexOf(x)];
    const [inside, outside] = [INSIDE, OUTSIDE].map(at).map((values) =>
      ({ values, mean: mean(values), std: Math.sqrt(variance(values)) }));
    if (exact?.points !== points) exact = { points, ...gaussianProcess(points, GRID) };

    main.words({ title: all ? `${passes} pass${passes > 1 ? "es" : ""} through a net with dropout` : `Pass ${passes} alone` });
    main.paint((pen) => {
      area = drawPlot(pen, points, (plot) => {
        const pass = (t) => answers.map((values) => values[t]);
        if (!all) { plot.line(GRID, pass(0), "one pass", { width: 3 }); return; }
        const centre = answers.map(mean);
        band(plot, centre, answers.map((values) => Math.sqrt(variance(values))), "mean");
        pen.g.globalAlpha = 0.35;
        for (let t = 0; t < Math.min(SHOWN, passes); t++) plot.line(GRID, pass(t), "pass", { width: 1 });
        pen.g.globalAlpha = 1;
        plot.line(GRID, centre, "mean", { width: 3 });
        if (playing.on) plot.line(GRID, pass(passes - 1), "one pass", { width: 2.5 });
      });
    });
    beside.paint((pen) => drawPlot(pen, points, (plot) => {
      band(plot, exact.mean, exact.std, "exact");
      plot.line(GRID, exact.mean, "exact", { width: 3 });
    }));
    settling.show(all);
    if (all)
      settling.paint((pen) => {
        // Within what lines the running mean should stay: the last mean, +- std / sqrt(t).
        const running = [];
        inside.values.reduce((total, v, t) => ((running[t] = (total + v) / (t + 1)), total + v), 0);
        const steps = running.map((_, t) => t + 1), end = Math.max(2, passes);
        const reach = Math.max(2 * inside.std, 0.05);
        const settle = axes(pen, { xlim: [0, end], ylim: [inside.mean - reach, inside.mean + reach],
          xticks: [0, end], yticks: [inside.mean - reach, inside.mean, inside.mean + reach], yformat: (v) => v.toFixed(2) });
        for (const sign of [-1, 1])
          settle.line(steps, steps.map((t) => inside.mean + (sign * inside.std) / Math.sqrt(t)), "theory", { width: 2 });
        settle.line(steps, running, "measured");
      });
    ui.legend([{ series: "points", value: points.length },
      ...(all ? [{ series: "mean" }, { series: "pass", name: passes > SHOWN ? `${SHOWN} single passes` : "single passes" }]
        : [{ series: "one pass", name: `pass ${passes}: what one thinned net believes` }]),
      ...(all && playing.on ? [{ series: "one pass", name: "the newest pass" }] : []),
      { series: "exact" },
      ...(all ? [{ series: "measured", name: "running mean" }, { series: "theory", name: "± std / √passes" }] : [])]);

    const say = (x, s) => `at x = ${x}: ${s.mean.toFixed(3)}${all ? ` (std ${s.std.toFixed(3)}, exact ${exact.std[GRID.indexOf(x)].toFixed(3)})` : ""}`;
    const offline = ui.offline() ? `. ${NEEDS_KERNEL}` : " yet…";
    const missing = ready || model.get("error") ? "" : ` · The net for p = ${p} and these points is not trained${offline}`;
    return {
      text: `net trained and asked with p = ${used} · ${say(INSIDE, inside)} · ${say(OUTSIDE, outside)}`
        + (all ? ` · the mean at x = ${INSIDE} is known to ± ${(inside.std / Math.sqrt(passes)).toFixed(4)}` : "")
        + (note || missing),
      label: `${all ? `${passes} passes` : `Pass ${passes}`} at p ${used}, ${points.length} points: `
        + `${say(INSIDE, inside)}, ${say(OUTSIDE, outside)}`,
    };
  });
});
