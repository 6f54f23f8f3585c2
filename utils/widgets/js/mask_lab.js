import { binomial, binomialShare, histogram, keepMask, sum, uniform } from "./core.js";
import { axes, mark } from "./plot.js";
import { frame, view } from "./ui.js";

const ROWS = 12, COLUMNS = 20, TOTAL = ROWS * COLUMNS, MOST_BATCHES = 1000, MS_PER_BATCH = 120;

// The keep-mask on show: uniform numbers against p, and the cells that were set by hand.
export function maskOf(seed, p, forced) {
  const mask = keepMask(uniform(seed, TOTAL), p);
  for (const [cell, keep] of Object.entries(forced)) mask[cell] = keep;
  return mask;
}

// How many units each of the batches seed, seed + 1, ... keeps.
export function counts(seed, batches, p) {
  const U = uniformOf(seed, batches), limit = Math.fround(p), kept = new Array(batches).fill(0);
  for (let batch = 0, i = 0; batch < batches; batch++)
    for (const end = i + TOTAL; i < end; i++) if (U[i] >= limit) kept[batch] += 1;
  return kept;
}

let drawn = { seed: null, numbers: new Float32Array(0) }; // dragging p does not draw the numbers again
function uniformOf(seed, batches) {
  const known = drawn.seed === seed ? drawn.numbers : new Float32Array(0);
  if (known.length < batches * TOTAL) {
    const numbers = new Float32Array(Math.min(MOST_BATCHES, 2 * batches) * TOTAL);
    numbers.set(known);
    for (let i = known.length; i < numbers.length; i += TOTAL) numbers.set(uniform(seed + i / TOTAL, TOTAL), i);
    drawn = { seed, numbers };
  }
  return drawn.numbers;
}

// The counts that the histogram shows; the twin of count_range in mask_lab.py.
export function countRange(p) {
  const middle = TOTAL * (1 - p), reach = Math.max(2, 4.5 * Math.sqrt(TOTAL * p * (1 - p)));
  return [Math.max(0, Math.floor(middle - reach)), Math.min(TOTAL, Math.ceil(middle + reach))];
}

// What the kept values are multiplied by, in words.
export function factorInWords(p, forced) {
  if (p < 1) return `kept values are multiplied by ${(1 / (1 - p)).toFixed(2)}`;
  return Object.values(forced).some(Boolean) ? "at p = 1 dropout keeps no unit (those kept here you forced), and no factor makes up for that"
    : "at p = 1 all are dropped, and no factor makes up for that";
}

export default view((model, el) => {
  const ui = frame(model, el);
  const masked = () => maskOf(model.get("seed") + model.get("batches") - 1, model.get("p"), model.get("forced"));
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  const nextBatch = () => {
    const batches = model.get("batches");
    if (freeze.on || batches === MOST_BATCHES) return false;
    ui.set({ batches: batches + 1, forced: {} });
    return true;
  };
  ui.button("Next batch", nextBatch);
  ui.play("Play: batch by batch", "Stop", { every: MS_PER_BATCH, tick: nextBatch });
  const freeze = ui.toggle("Freeze", "Frozen");
  ui.button("Start again", () => ui.set({ batches: 1, forced: {} }));
  const grid = ui.panel({ ratio: 1.75, tall: 17, most: 21, wide: 30, grow: 3, focus: true });
  const tally = ui.panel({ ratio: 1.2, tall: 12, most: 21, wide: 18, grow: 2 });
  grid.words({ title: `A batch of ${ROWS} examples (rows) through a layer of ${COLUMNS} units (columns)`,
    below: "Click a unit to force it on or off; or reach it with Tab and the arrow keys, and press Space." });
  tally.words({ below: "units kept in a batch" });

  let layout;
  const chosen = ui.pick(grid, {
    at({ x, y }) {
      const column = Math.floor((x - layout.left) / layout.wide), row = Math.floor(y / layout.high);
      return column < 0 || column >= COLUMNS || row < 0 || row >= ROWS ? null : row * COLUMNS + column;
    },
    move(cell, key) {
      if (cell === null) return 0;
      const row = Math.floor(cell / COLUMNS), column = cell % COLUMNS;
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
        Home: [0, -COLUMNS], End: [0, COLUMNS] }[key];
      const within = (v, end) => Math.min(end - 1, Math.max(0, v));
      return within(row + down, ROWS) * COLUMNS + within(column + right, COLUMNS);
    },
    press: (cell) => ui.set({ forced: { ...model.get("forced"), [cell]: 1 - masked()[cell] } }),
    say: (cell) => `example ${Math.floor(cell / COLUMNS) + 1}, unit ${(cell % COLUMNS) + 1}: ${masked()[cell] ? "kept" : "dropped"}`
      + (cell in model.get("forced") ? ", forced" : ""),
  });

  return ui.start((look) => {
    const mask = masked(), forced = model.get("forced"), p = model.get("p");
    grid.paint((pen) => {
      const { g, width, height, em } = pen;
      // Long labels where there is room for them, else the bare numbers.
      const roomy = (width - pen.measure("example 12") - pen.measure("12 kept") - 2 * em) / COLUMNS >= 1.4 * em;
      const [before, after] = roomy ? ["example ", " kept"] : ["", ""];
      const left = pen.measure(`${before}12`) + 0.6 * em, right = pen.measure(`12${after}`) + 0.6 * em;
      layout = { left, wide: (width - left - right) / COLUMNS, high: height / ROWS };
      const r = 0.36 * Math.min(layout.wide, layout.high);
      for (let row = 0; row < ROWS; row++) {
        const kept = sum(mask.subarray(row * COLUMNS, (row + 1) * COLUMNS));
        const y = (row + 0.5) * layout.high;
        pen.write(`${before}${row + 1}`, left - 0.6 * em, y, { align: "right" });
        pen.write(`${kept}${after}`, width - 1, y, { align: "right" });
        for (let column = 0; column < COLUMNS; column++) {
          const cell = row * COLUMNS + column, x = left + (column + 0.5) * layout.wide;
          pen.ink(mask[cell] ? "kept" : "dropped");
          if (mask[cell]) g.fillRect(x - r, y - r, 2 * r, 2 * r);
          else {
            g.beginPath();
            g.moveTo(x - 0.7 * r, y - 0.7 * r); g.lineTo(x + 0.7 * r, y + 0.7 * r);
            g.moveTo(x + 0.7 * r, y - 0.7 * r); g.lineTo(x - 0.7 * r, y + 0.7 * r);
            g.stroke();
          }
          g.strokeStyle = look.ink;
          g.lineWidth = cell === chosen.now ? 3 : 1.5;
          if (cell in forced || cell === chosen.now)
            g.strokeRect(x - layout.wide / 2 + 1.5, y - layout.high / 2 + 1.5, layout.wide - 3, layout.high - 3);
        }
      }
    });
    const kept = sum(mask), n = mask.length, expected = binomial(n, 1 - p), batches = model.get("batches");
    const [low, high] = countRange(p), wanted = Math.floor(expected.mean + 0.5);
    const heights = histogram(counts(model.get("seed"), batches, p), low - 0.5, high + 0.5, high - low + 1);
    const places = heights.map((_, k) => low + k), theory = places.map((k) => batches * binomialShare(n, 1 - p, k));
    const exactly = heights[wanted - low];
    tally.words({ title: `${batches} batch${batches > 1 ? "es" : ""}: exactly ${wanted} kept in ${exactly}` });
    tally.paint((pen) => {
      const top = Math.max(5, 1.15 * Math.max(...heights, ...theory));
      const step = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((s) => top / s < 6) ?? 1000;
      const area = axes(pen, { xlim: [low - 0.5, high + 0.5], ylim: [0, top], xticks: [low, wanted, high],
        yticks: Array.from({ length: Math.floor(top / step) + 1 }, (_, k) => k * step) });
      const r = 0.45 * Math.min(area.X(1) - area.X(0), area.Y(0) - area.Y(1), 14 * pen.thin);
      if (r < 1) area.bars(heights, low - 0.5, high + 0.5, "batches"); // too many for dots
      else {
        pen.ink("batches");
        heights.forEach((height, k) => { for (let dot = 0; dot < height; dot++) mark(pen.g, "circle", area.X(places[k]), area.Y(dot + 0.5), r); });
      }
      area.line(places, theory, "theory");
    });
    ui.legend([{ series: "kept", value: kept }, { series: "dropped", value: n - kept }, { series: "batches", value: batches },
      { series: "theory", name: `Binomial(${n}, ${(1 - p).toFixed(2)})` }]);
    return {
      text: `kept ${kept} of ${n} = ${(kept / n).toFixed(3)} · expected ${(100 * (1 - p)).toFixed(0)} %: `
        + `${expected.mean.toFixed(0)} ± ${expected.std.toFixed(1)} · exactly ${wanted}: ${exactly} of ${batches} batch${batches > 1 ? "es" : ""}, `
        + `theory ${(100 * binomialShare(n, 1 - p, wanted)).toFixed(1)} % · ${factorInWords(p, forced)}`,
      label: `${kept} of ${n} units kept at drop probability ${p.toFixed(2)}; exactly ${wanted} in ${exactly} of ${batches} batches`,
    };
  });
});
