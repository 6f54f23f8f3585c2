import { binomial, keepMask, sum, uniform } from "./core.js";
import { frame, view } from "./ui.js";

const ROWS = 12, COLUMNS = 20;

// The keep-mask on show: uniform numbers against p, and the cells that were set by hand.
export function maskOf(seed, p, forced) {
  const mask = keepMask(uniform(seed, ROWS * COLUMNS), p);
  for (const [cell, keep] of Object.entries(forced)) mask[cell] = keep;
  return mask;
}

// What the kept values are multiplied by, in words.
export function factorInWords(p, forced) {
  if (p < 1) return `kept values are multiplied by ${(1 / (1 - p)).toFixed(2)}`;
  return Object.values(forced).some(Boolean) ? "at p = 1 dropout keeps no unit (those kept here you forced), and no factor makes up for that"
    : "at p = 1 all are dropped, and no factor makes up for that";
}

export default view((model, el) => {
  const ui = frame(model, el);
  const masked = () => maskOf(model.get("seed"), model.get("p"), model.get("forced"));
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.button("Next batch", () => { if (!freeze.on) ui.set({ seed: model.get("seed") + 1, forced: {} }); });
  const freeze = ui.toggle("Freeze", "Frozen");
  const grid = ui.panel({ ratio: 1.75, tall: 17, most: 21, focus: true });
  grid.words({ title: `A batch of ${ROWS} examples (rows) through a layer of ${COLUMNS} units (columns)`,
    below: "Click a unit to force it on or off; or reach it with Tab and the arrow keys, and press Space." });

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
    const kept = sum(mask), n = mask.length, expected = binomial(n, 1 - p);
    ui.legend([{ series: "kept", value: kept }, { series: "dropped", value: n - kept }]);
    return {
      text: `kept ${kept} of ${n} = ${(kept / n).toFixed(3)} · expected ${(100 * (1 - p)).toFixed(0)} %: `
        + `${expected.mean.toFixed(0)} ± ${expected.std.toFixed(1)} · ${factorInWords(p, forced)}`,
      label: `${kept} of ${n} units kept at drop probability ${p.toFixed(2)}`,
    };
  });
});
