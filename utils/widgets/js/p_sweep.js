import { float32, mean, nearestIndex } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

// The twin of BANK_ROWS in p_sweep.py.
const CURVES = ["training", "test", "early-stopped"], MEASURES = ["accuracy", "NLL"];
export const rowOf = (curve, measure) => CURVES.indexOf(curve) * MEASURES.length + MEASURES.indexOf(measure);

// The values of one curve: for each p of the bank the list of its seeds.
export function bankCurve(bank, axes, row, numTrain, width) {
  const [P, N, W, S] = [axes.p.length, axes.num_train.length, axes.width.length, axes.seeds];
  const j = axes.num_train.indexOf(numTrain), k = axes.width.indexOf(width);
  return axes.p.map((_, i) => {
    const start = (((row * P + i) * N + j) * W + k) * S;
    return [...bank.subarray(start, start + S)];
  });
}

// The index of the best p: lowest NLL, or highest accuracy.
export function bestIndex(means, measure) {
  return means.indexOf(measure === "NLL" ? Math.min(...means) : Math.max(...means));
}

export default view((model, el) => {
  const ui = frame(model, el);
  const bank = float32(model.get("bank")), grid = model.get("axes");
  ui.slider("p", "drop probability p", { values: grid.p, digits: 1 });
  ui.choice("num_train", "training images", grid.num_train.map((n) => [n, n.toLocaleString("en")]));
  ui.choice("width", "width", grid.width.map((w) => [w, String(w)]));
  ui.choice("measure", "measure", [["NLL", "NLL"], ["accuracy", "accuracy"]]);
  const plot = ui.panel({ ratio: 1.4, tall: 14, wide: 24, grow: 1.2 });
  const nine = ui.panel({ ratio: 1.4, tall: 14, wide: 24, focus: true });
  nine.words({ title: "All nine; click one to see it large", above: "test images only; rows: training images; columns: width; a mark: the best p",
    below: "or reach one with Tab and the arrow keys, and press Space" });
  const P = grid.num_train.length, Q = grid.width.length;
  let cells = [];
  const chosen = ui.pick(nine, {
    at({ x, y }) {
      const cell = cells.findIndex((c) => x >= c.x && x < c.x + c.width && y >= c.y && y < c.y + c.height);
      return cell < 0 ? null : cell;
    },
    move(cell, key) {
      if (cell === null) return 0;
      const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [-P, -Q], End: [P, Q] }[key];
      const within = (v, end) => Math.min(end - 1, Math.max(0, v));
      return within(Math.floor(cell / Q) + down, P) * Q + within((cell % Q) + right, Q);
    },
    press: (cell) => ui.set({ num_train: grid.num_train[Math.floor(cell / Q)], width: grid.width[cell % Q] }),
    say: (cell) => `${grid.num_train[Math.floor(cell / Q)].toLocaleString("en")} training images, width ${grid.width[cell % Q]}`,
  });
  const opening = model.get("opening");

  return ui.start(() => {
    const [measure, numTrain, width] = ["measure", "num_train", "width"].map((key) => model.get(key));
    const curve = (name, n, w) => bankCurve(bank, grid, rowOf(name, measure), n, w);
    const onShow = CURVES.map((name) => [name, curve(name, numTrain, width)]);
    const [low, highest, ticks] = grid.spans[measure];
    const clip = (v) => Math.min(highest, Math.max(low, v));
    const nearest = nearestIndex(grid.p, model.get("p"));
    // The learner drew the state in which the widget opened.
    const drawn = ["measure", "num_train", "width"].every((key) => opening[key] === model.get(key)) ? ui.curve() : null;
    plot.words({ above: measure, below: "drop probability p" });
    plot.paint((pen) => {
      const area = axes(pen, { xlim: [0, grid.p.at(-1)], ylim: [low, highest], xticks: grid.p, yticks: ticks });
      area.cursor(grid.p[nearest]);
      for (const [series, runs] of onShow) {
        area.band(grid.p, runs.map((r) => clip(Math.min(...r))), runs.map((r) => clip(Math.max(...r))), series);
        area.line(grid.p, runs.map((r) => clip(mean(r))), series, { marks: true });
      }
      if (drawn) area.line(...drawn, "guess", { marks: true });
    });
    nine.paint((pen) => {
      const { g, em, look } = pen, names = grid.num_train.map((n) => n.toLocaleString("en"));
      const left = Math.max(...names.map((name) => pen.measure(name))) + 0.5 * em, top = 1.4 * em;
      const [wide, high] = [(pen.width - left) / Q, (pen.height - top) / P];
      cells = names.flatMap((_, j) => grid.width.map((_, k) => ({ x: left + k * wide, y: top + j * high, width: wide, height: high })));
      names.forEach((name, j) => pen.write(name, 1, top + (j + 0.5) * high));
      grid.width.forEach((w, k) => pen.write(String(w), left + (k + 0.5) * wide, 0.6 * em, { align: "center" }));
      cells.forEach((box, cell) => {
        const [n, w] = [grid.num_train[Math.floor(cell / Q)], grid.width[cell % Q]];
        const area = axes(pen, { xlim: [0, grid.p.at(-1)], ylim: [low, highest], xticks: [], yticks: [], box });
        for (const name of ["test", "early-stopped"]) {
          const means = curve(name, n, w).map((r) => clip(mean(r)));
          area.line(grid.p, means, name, { width: 1.5, marks: [bestIndex(means, measure)] });
        }
        g.setLineDash([]);
        g.strokeStyle = look.ink;
        g.lineWidth = (n === numTrain && w === width ? 3 : cell === chosen.now ? 2 : 0.5) * pen.thin;
        g.strokeRect(area.inner.x, area.inner.y, area.inner.width, area.inner.height);
      });
    });
    const means = Object.fromEntries(onShow.map(([name, runs]) => [name, runs.map(mean)]));
    const bestP = (name) => grid.p[bestIndex(means[name], measure)];
    const names = { test: "test images, at the end" };
    ui.legend([...CURVES.map((series) => ({ series, name: names[series], value: means[series][nearest].toFixed(3) })), ...(drawn ? [{ series: "guess" }] : [])]);
    const [inTraining, atTheEnd, early] = CURVES.map((name) => means[name][nearest].toFixed(3));
    return {
      text: `p = ${grid.p[nearest]}: ${measure} ${inTraining} on training images, ${atTheEnd} on test images at the end, ${early} early-stopped `
        + `(${grid.seeds} seeds; bands: lowest to highest). Best p on test images: ${bestP("test")} at the end, ${bestP("early-stopped")} early-stopped`,
    };
  });
});
