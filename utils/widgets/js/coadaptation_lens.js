import { mean, nearestIndex } from "./core.js";
import { frame, plot } from "./ui.js";

const SIDE = 28, ZOOM = 2, PER_ROW = 4, SHOWN = 24;

function render({ model, el }) {
  const bank = model.get("bank");
  const bytes = model.get("filters");
  const filters = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tile = document.createElement("canvas");
  tile.width = tile.height = SIDE;

  // One filter: middle grey is weight 0.
  const drawFilter = (g, index, x, y) => {
    const grey = filters.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
    const image = new ImageData(SIDE, SIDE);
    grey.forEach((level, i) => {
      image.data.fill(level, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    });
    tile.getContext("2d").putImageData(image, 0, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(tile, x, y, SIDE * ZOOM, SIDE * ZOOM);
  };

  const draw = (g, colours, { width, height }) => {
    const i = nearestIndex(bank.p, model.get("p"));
    const k = nearestIndex(bank.knocked_out, model.get("knocked_out"));
    g.fillStyle = colours.ink;
    g.fillText(`${SHOWN} filters, p = ${bank.p[i]} (grey: 0)`, 0, 20);
    for (let f = 0; f < SHOWN; f++)
      drawFilter(g, i * SHOWN + f, (f % PER_ROW) * (SIDE * ZOOM + 4), 30 + Math.floor(f / PER_ROW) * (SIDE * ZOOM + 4));

    const average = (row) => bank.knocked_out.map((_, column) => mean(row.map((seed) => seed[column])));
    const extreme = (row, pick) => bank.knocked_out.map((_, column) => pick(...row.map((seed) => seed[column])));
    const area = plot(g, colours, { x: 330, y: 40, width: width - 350, height: height - 110 }, {
      xlim: [0, bank.knocked_out.at(-1)], ylim: [0.2, 1], xticks: [0, 32, 64, 96], yticks: [0.2, 0.4, 0.6, 0.8, 1],
      xlabel: `hidden units knocked out, of ${bank.width}`, ylabel: "test accuracy",
    });
    const nets = [[0, colours.second, [8, 5], "square"], [i, colours.first, [], "circle"]];
    nets.forEach(([index, colour, dash, dots], line) => {
      const row = bank.accuracy[index];
      area.band(bank.knocked_out, extreme(row, Math.min), extreme(row, Math.max), colour);
      area.line(bank.knocked_out, average(row), colour, { dash, dots });
      const y = height - 100 - 26 * line;
      g.strokeStyle = colour;
      g.setLineDash(dash);
      g.beginPath(); g.moveTo(345, y - 5); g.lineTo(385, y - 5); g.stroke();
      g.setLineDash([]);
      g.fillStyle = colours.ink;
      g.textAlign = "left";
      g.fillText(`trained with p = ${bank.p[index]}`, 392, y);
    });
    g.strokeStyle = colours.ink;
    g.lineWidth = 2;
    g.beginPath();
    g.moveTo(area.X(bank.knocked_out[k]), 40); g.lineTo(area.X(bank.knocked_out[k]), height - 70);
    g.stroke();
    const [without, withP] = [average(bank.accuracy[0])[k], average(bank.accuracy[i])[k]];
    return {
      text: `${bank.knocked_out[k]} of ${bank.width} units gone: accuracy ${without.toFixed(3)} at p = 0, `
        + `${withP.toFixed(3)} at p = ${bank.p[i]}. Mean |correlation| of two units: `
        + `${mean(bank.correlation[0]).toFixed(3)} against ${mean(bank.correlation[i]).toFixed(3)} `
        + `(${bank.correlation[0].length} seeds)`,
    };
  };

  const ui = frame(model, el, { width: 800, height: 400, draw });
  ui.slider("p", "drop probability p", { values: bank.p, digits: 1 });
  ui.slider("knocked_out", "units knocked out", { values: bank.knocked_out, digits: 0 });
  return ui.finish();
}

export default { render };
