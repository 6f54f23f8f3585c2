import { float32, mean, nearestIndex, sum, uniform } from "./core.js";
import { axes, mark, style } from "./plot.js";
import { frame, view } from "./ui.js";

const SIDE = 14, COLUMNS = 16, CLASSES = 10;

// Which units are left (0 or 1): all but the first `knockedOut` of a random order; forced ones as they were set.
export function keptUnits(seed, knockedOut, forced, width) {
  const U = uniform(seed, width), kept = new Uint8Array(width).fill(1);
  const order = [...U.keys()].sort((a, b) => U[a] - U[b]);
  for (const unit of order.slice(0, knockedOut)) kept[unit] = 0;
  for (const [unit, keep] of Object.entries(forced)) kept[unit] = keep;
  return kept;
}

// The share of images that net i answers rightly with the units that are left, scaled up to keep the mean.
export function accuracy(activations, weights, labels, i, kept) {
  const width = kept.length, alive = [...kept.keys()].filter((unit) => kept[unit]);
  const scale = alive.length ? width / alive.length : 0;
  const W = weights.subarray(i * (width + 1) * CLASSES, (i + 1) * (width + 1) * CLASSES);
  let right = 0;
  labels.forEach((label, n) => {
    const first = (i * labels.length + n) * width, logits = new Float64Array(CLASSES);
    for (const unit of alive) {
      const a = activations[first + unit];
      if (a) for (let c = 0; c < CLASSES; c++) logits[c] += a * W[unit * CLASSES + c];
    }
    for (let c = 0; c < CLASSES; c++) logits[c] = logits[c] * scale + W[width * CLASSES + c];
    if (logits.indexOf(Math.max(...logits)) === label) right += 1;
  });
  return right / labels.length;
}

const bytesOf = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

export default view((model, el) => {
  const ui = frame(model, el);
  const bank = model.get("bank"), width = bank.width, rows = width / COLUMNS;
  const filters = bytesOf(model.get("filters")), activations = bytesOf(model.get("activations"));
  const weights = float32(model.get("weights"));
  const kept = () => keptUnits(model.get("seed"), model.get("knocked_out"), model.get("forced"), width);
  ui.slider("knocked_out", "random units knocked out", { values: bank.knocked_out, digits: 0 });
  ui.slider("p", "drop probability p", { values: bank.p, digits: 1 });
  ui.button("Other units", () => ui.set({ seed: model.get("seed") + 1, forced: {} }));
  ui.button("Revive all", () => ui.set({ knocked_out: 0, forced: {} }));
  const mosaic = () => {
    const panel = ui.panel({ ratio: COLUMNS / rows, tall: 10, wide: 24, focus: true });
    const chosen = ui.pick(panel, {
      at({ x, y }) {
        const [column, row] = [Math.floor((x - panel.left) / panel.side), Math.floor(y / panel.side)];
        return column < 0 || column >= COLUMNS || row < 0 || row >= rows ? null : row * COLUMNS + column;
      },
      move(unit, key) {
        if (unit === null) return 0;
        const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -COLUMNS], End: [0, COLUMNS] }[key];
        const within = (v, end) => Math.min(end - 1, Math.max(0, v));
        return within(Math.floor(unit / COLUMNS) + down, rows) * COLUMNS + within((unit % COLUMNS) + right, COLUMNS);
      },
      press: (unit) => ui.set({ forced: { ...model.get("forced"), [unit]: 1 - kept()[unit] } }),
      say: (unit) => `unit ${unit + 1} of ${width}: ${kept()[unit] ? "alive" : "knocked out"} in both nets`,
    });
    return Object.assign(panel, { chosen });
  };
  const nets = [mosaic(), mosaic()];
  nets[0].words({ below: "Click a unit: it goes, or comes back, in both nets." });
  nets[1].words({ below: "By keys: Tab, the arrows, Space." });
  const plot = ui.panel({ ratio: 2.6, tall: 11, most: 15, grow: 0 });
  plot.words({ above: "test accuracy", below: `hidden units knocked out, of ${width}; lines: random ones; large marks: the two nets above` });

  // All filters of a net in one picture, made once: the pieces of it are what is drawn.
  const sheets = new Map();
  const sheet = (net) => {
    if (sheets.has(net)) return sheets.get(net);
    const canvas = Object.assign(document.createElement("canvas"), { width: COLUMNS * SIDE, height: rows * SIDE });
    const image = new ImageData(COLUMNS * SIDE, rows * SIDE), size = SIDE * SIDE;
    for (let unit = 0; unit < width; unit++)
      for (let i = 0; i < size; i++) {
        const x = (unit % COLUMNS) * SIDE + (i % SIDE), y = Math.floor(unit / COLUMNS) * SIDE + Math.floor(i / SIDE);
        const at = 4 * (y * COLUMNS * SIDE + x);
        image.data.fill(filters[(net * width + unit) * size + i], at, at + 3);
        image.data[at + 3] = 255;
      }
    canvas.getContext("2d").putImageData(image, 0, 0);
    sheets.set(net, canvas);
    return canvas;
  };
  const drawFilter = (g, net, unit, x, y, side) => {
    g.imageSmoothingEnabled = false;
    g.drawImage(sheet(net), (unit % COLUMNS) * SIDE, Math.floor(unit / COLUMNS) * SIDE, SIDE, SIDE, x, y, side, side);
  };
  const drawNet = (panel, net, alive, reached) => panel.paint((pen) => {
    const { g, look } = pen;
    const side = panel.side = Math.min(pen.width / COLUMNS, pen.height / rows);
    const left = panel.left = (pen.width - COLUMNS * side) / 2;
    alive.forEach((keep, unit) => {
      const x = left + (unit % COLUMNS) * side, y = Math.floor(unit / COLUMNS) * side;
      g.globalAlpha = keep ? 1 : 0.25;
      drawFilter(g, net, unit, x + 1, y + 1, side - 2);
      g.globalAlpha = 1;
      if (!keep) {
        pen.ink("dropped");
        mark(g, "cross", x + side / 2, y + side / 2, 0.25 * side);
      }
      if (unit === reached) {
        g.strokeStyle = look.ink;
        g.lineWidth = 3;
        g.strokeRect(x + 1.5, y + 1.5, side - 3, side - 3);
      }
    });
  });

  return ui.start(() => {
    const i = nearestIndex(bank.p, model.get("p")), alive = kept(), gone = width - sum(alive);
    const shown = [0, i].map((net) => accuracy(activations, weights, bank.labels, net, alive));
    const reached = nets[0].chosen.now ?? nets[1].chosen.now;
    nets.forEach((panel, side) => {
      const title = `trained with p = ${bank.p[side ? i : 0]}: accuracy ${shown[side].toFixed(3)}`;
      panel.words({ title });
      panel.label(`${width} filters of the net ${title} with ${gone} units knocked out`);
      drawNet(panel, side ? i : 0, alive, reached);
    });
    const average = (row) => bank.knocked_out.map((_, column) => mean(row.map((seed) => seed[column])));
    const extreme = (row, pick) => bank.knocked_out.map((_, column) => pick(...row.map((seed) => seed[column])));
    plot.paint((pen) => {
      const area = axes(pen, { xlim: [0, width], ylim: [0, 1], xticks: [0, 32, 64, 96, 128], yticks: [0, 0.2, 0.4, 0.6, 0.8, 1] });
      area.cursor(gone);
      for (const [series, row] of [["without", bank.accuracy[0]], ["with", bank.accuracy[i]]]) {
        area.band(bank.knocked_out, extreme(row, Math.min), extreme(row, Math.max), series);
        area.line(bank.knocked_out, average(row), series);
      }
      for (const [side, series] of ["without", "with"].entries()) {
        pen.ink(series);
        pen.mark(style(series).marker, area.X(gone), area.Y(shown[side]), 1.8);
      }
    });
    const k = nearestIndex(bank.knocked_out, gone), [random, randomP] = [0, i].map((net) => average(bank.accuracy[net])[k]);
    ui.legend([{ series: "without", value: shown[0].toFixed(3) }, { series: "with", name: `trained with p = ${bank.p[i]}`, value: shown[1].toFixed(3) },
      { series: "dropped", name: "knocked out", value: gone }]);
    return {
      text: `${gone} of ${width} units gone: on ${bank.labels.length} test images accuracy ${shown[0].toFixed(3)} at p = 0, `
        + `${shown[1].toFixed(3)} at p = ${bank.p[i]}. ${bank.knocked_out[k]} random units gone, all test images: ${random.toFixed(3)} and ${randomP.toFixed(3)} `
        + `(means of ${bank.accuracy[0].length} seeds; bands: lowest to highest). Mean |correlation| of two units of a net: `
        + `${bank.correlation[0].toFixed(3)} and ${bank.correlation[i].toFixed(3)}. Both nets began with the same weights: what a unit says to `
        + `an image in the one and in the other correlates by ${bank.alike[i].toFixed(2)} on average.`,
      label: `Accuracy over the number of units knocked out: with ${gone} gone, ${shown[0].toFixed(3)} at p = 0 and ${shown[1].toFixed(3)} at p = ${bank.p[i]}`,
    };
  });
});
