import { float32, nearestIndex } from "./core.js";
import { frame, plot } from "./ui.js";

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

function render({ model, el }) {
  const bank = float32(model.get("bank"));
  const axes = model.get("axes");
  const average = (values) => values.reduce((a, b) => a + b) / values.length;

  const draw = (g, colours, { width, height }) => {
    const measure = model.get("measure");
    const [train, test] = ROWS[measure].map((row) =>
      bankCurve(bank, axes, row, model.get("num_train"), model.get("width")));
    const high = measure === "NLL" ? 2.4 : 1; // an untrained net has ln 10 = 2.3
    const low = measure === "NLL" ? 0 : 0.4;
    const clip = (v) => Math.min(high, Math.max(low, v));
    const area = plot(g, colours, { x: 70, y: 34, width: width - 240, height: height - 100 }, {
      xlim: [0, 0.9], ylim: [low, high], xlabel: "drop probability p", ylabel: measure,
      xticks: axes.p, yticks: measure === "NLL" ? [0, 0.5, 1, 1.5, 2] : [0.4, 0.6, 0.8, 1],
    });
    const nearest = nearestIndex(axes.p, model.get("p"));
    g.strokeStyle = colours.ink;
    g.lineWidth = 2;
    g.beginPath(); g.moveTo(area.X(axes.p[nearest]), 34); g.lineTo(area.X(axes.p[nearest]), height - 66); g.stroke();
    const series = [["training images", train, colours.second, [8, 5], "square"],
      ["test images", test, colours.first, [], "circle"]];
    series.forEach(([name, runs, colour, dash, dots], index) => {
      area.band(axes.p, runs.map((r) => clip(Math.min(...r))), runs.map((r) => clip(Math.max(...r))), colour);
      area.line(axes.p, runs.map((r) => clip(average(r))), colour, { dash, dots });
      const y = 60 + 56 * index;
      g.setLineDash(dash);
      g.strokeStyle = colour;
      g.beginPath(); g.moveTo(width - 150, y); g.lineTo(width - 110, y); g.stroke();
      g.setLineDash([]);
      g.fillStyle = colours.ink;
      g.fillText(name, width - 150, y + 20);
      g.fillText(average(runs[nearest]).toFixed(3), width - 100, y + 2);
    });
    const means = test.map(average);
    const best = means.indexOf(measure === "NLL" ? Math.min(...means) : Math.max(...means));
    return {
      text: `p = ${axes.p[nearest]}: ${measure} ${average(train[nearest]).toFixed(3)} on training images, `
        + `${means[nearest].toFixed(3)} on test images (${axes.seeds} seeds). Best p on test images: ${axes.p[best]}`,
    };
  };

  const ui = frame(model, el, { width: 800, height: 400, draw });
  ui.slider("p", "drop probability p", { values: axes.p, digits: 1 });
  ui.choice("num_train", "training images", axes.num_train.map((n) => [n, n.toLocaleString("en")]));
  ui.choice("width", "width", axes.width.map((w) => [w, String(w)]));
  ui.choice("measure", "measure", [["NLL", "NLL"], ["accuracy", "accuracy"]]);
  return ui.finish();
}

export default { render };
