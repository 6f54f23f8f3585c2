import { float32, mean, nearestIndex } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const ROWS = { NLL: [1, 3], accuracy: [0, 2] };

// The values of one curve: for each p of the bank the list of its seeds.
export function bankCurve(bank, axes, row, numTrain, width) {
  const [P, N, W, S] = [axes.p.length, axes.num_train.length, axes.width.length, axes.seeds];
  const j = axes.num_train.indexOf(numTrain), k = axes.width.indexOf(width);
  return axes.p.map((_, i) => {
    const start = (((row * P + i) * N + j) * W + k) * S;
    return [...bank.subarray(start, start + S)];
  });
}

export default view((model, el) => {
  const ui = frame(model, el);
  const bank = float32(model.get("bank")), grid = model.get("axes");
  ui.slider("p", "drop probability p", { values: grid.p, digits: 1 });
  ui.choice("num_train", "training images", grid.num_train.map((n) => [n, n.toLocaleString("en")]));
  ui.choice("width", "width", grid.width.map((w) => [w, String(w)]));
  ui.choice("measure", "measure", [["NLL", "NLL"], ["accuracy", "accuracy"]]);
  const plot = ui.panel({ ratio: 2, tall: 14 });
  const opening = model.get("opening");

  return ui.start(() => {
    const [measure, numTrain, width] = ["measure", "num_train", "width"].map((key) => model.get(key));
    const [train, test] = ROWS[measure].map((row) => bankCurve(bank, grid, row, numTrain, width));
    const [low, high, ticks] = grid.spans[measure];
    const clip = (v) => Math.min(high, Math.max(low, v));
    const nearest = nearestIndex(grid.p, model.get("p"));
    // The learner drew the state in which the widget opened.
    const drawn = ["measure", "num_train", "width"].every((key) => opening[key] === model.get(key)) ? ui.curve() : null;
    plot.words({ above: measure, below: "drop probability p" });
    plot.paint((pen) => {
      const area = axes(pen, { xlim: [0, grid.p.at(-1)], ylim: [low, high], xticks: grid.p, yticks: ticks });
      area.cursor(grid.p[nearest]);
      for (const [series, runs] of [["training", train], ["test", test]]) {
        area.band(grid.p, runs.map((r) => clip(Math.min(...r))), runs.map((r) => clip(Math.max(...r))), series);
        area.line(grid.p, runs.map((r) => clip(mean(r))), series, { marks: true });
      }
      if (drawn) area.line(...drawn, "guess", { marks: true });
    });
    const means = test.map(mean);
    const best = means.indexOf(measure === "NLL" ? Math.min(...means) : Math.max(...means));
    ui.legend([{ series: "training", value: mean(train[nearest]).toFixed(3) }, { series: "test", value: means[nearest].toFixed(3) },
      ...(drawn ? [{ series: "guess" }] : [])]);
    return {
      text: `p = ${grid.p[nearest]}: ${measure} ${mean(train[nearest]).toFixed(3)} on training images, `
        + `${means[nearest].toFixed(3)} on test images (${grid.seeds} seeds; bands: lowest to highest). Best p on test images: ${grid.p[best]}`,
    };
  });
});
