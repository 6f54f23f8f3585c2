import { mean, nearestIndex } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const SIDE = 28, SHOWN = 24;

export default view((model, el) => {
  const ui = frame(model, el);
  const bank = model.get("bank");
  const bytes = model.get("filters");
  const filters = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  ui.slider("p", "drop probability p", { values: bank.p, digits: 1 });
  ui.slider("knocked_out", "units knocked out", { values: bank.knocked_out, digits: 0 });
  const gallery = ui.panel({ ratio: 1.05, tall: 12, wide: 15, grow: 2 });
  const plot = ui.panel({ ratio: 1.45, tall: 14, wide: 20, grow: 3 });
  gallery.words({ below: "middle grey is weight 0" });
  plot.words({ above: "test accuracy", below: `hidden units knocked out, of ${bank.width}` });

  const tile = document.createElement("canvas");
  tile.width = tile.height = SIDE;
  const drawFilter = (g, index, x, y, side) => {
    const grey = filters.subarray(index * SIDE * SIDE, (index + 1) * SIDE * SIDE);
    const image = new ImageData(SIDE, SIDE);
    grey.forEach((level, i) => {
      image.data.fill(level, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    });
    tile.getContext("2d").putImageData(image, 0, 0);
    g.imageSmoothingEnabled = false;
    g.drawImage(tile, x, y, side, side);
  };

  return ui.start(() => {
    const i = nearestIndex(bank.p, model.get("p")), k = nearestIndex(bank.knocked_out, model.get("knocked_out"));
    gallery.words({ title: `${SHOWN} of ${bank.width} filters at p = ${bank.p[i]}` });
    gallery.paint(({ g, width, height }) => {
      // As many columns as make the filters largest.
      const size = (columns) => Math.min(width / columns, height / Math.ceil(SHOWN / columns));
      const columns = [4, 5, 6, 8, 12].reduce((best, c) => (size(c) > size(best) ? c : best), 3);
      const side = size(columns);
      for (let f = 0; f < SHOWN; f++)
        drawFilter(g, i * SHOWN + f, (f % columns) * side, Math.floor(f / columns) * side, side - 3);
    });
    const average = (row) => bank.knocked_out.map((_, column) => mean(row.map((seed) => seed[column])));
    const extreme = (row, pick) => bank.knocked_out.map((_, column) => pick(...row.map((seed) => seed[column])));
    plot.paint((pen) => {
      const area = axes(pen, { xlim: [0, bank.knocked_out.at(-1)], ylim: [bank.lowest, 1], xticks: [0, 32, 64, 96], yticks: [0.2, 0.4, 0.6, 0.8, 1] });
      area.cursor(bank.knocked_out[k]);
      for (const [series, row] of [["without", bank.accuracy[0]], ["with", bank.accuracy[i]]]) {
        area.band(bank.knocked_out, extreme(row, Math.min), extreme(row, Math.max), series);
        area.line(bank.knocked_out, average(row), series, { marks: true });
      }
    });
    const [without, withP] = [average(bank.accuracy[0])[k], average(bank.accuracy[i])[k]];
    ui.legend([{ series: "without", value: without.toFixed(3) }, { series: "with", name: `trained with p = ${bank.p[i]}`, value: withP.toFixed(3) }]);
    return {
      text: `${bank.knocked_out[k]} of ${bank.width} units gone: accuracy ${without.toFixed(3)} at p = 0, `
        + `${withP.toFixed(3)} at p = ${bank.p[i]}. Mean |correlation| of two units: `
        + `${mean(bank.correlation[0]).toFixed(3)} against ${mean(bank.correlation[i]).toFixed(3)} `
        + `(${bank.correlation[0].length} seeds; bands: lowest to highest)`,
    };
  });
});
