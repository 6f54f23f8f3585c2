import { normal, uniform } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const SIDE = 28, PIXELS = SIDE * SIDE, MAPS = 4, BLOCK = 4, MOST_DRAWS = 200;
// The slider's numbers of draws, about equally far apart in their logarithms.
const COUNTS = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 126, 160, 200], MS_PER_COUNT = 250;
const LOWEST = 0.002, HIGHEST = 4; // of the error axis
const NOISES = [["pixel", "pixels"], ["channel", "channels (feature maps)"], ["block", "blocks of 4 × 4"],
  ["gaussian", "Gaussian N(1, p/(1 − p))"]];

// Four maps of an image with values in [0, 1]: itself, edges left-right and up-down, Laplacian / 2.
export function featureMaps(image) {
  const at = (row, column) =>
    (row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : image[row * SIDE + column]);
  const maps = new Float64Array(MAPS * PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    const row = Math.floor(i / SIDE), column = i % SIDE;
    const left = at(row, column - 1), right = at(row, column + 1);
    const up = at(row - 1, column), down = at(row + 1, column);
    maps[i] = image[i];
    maps[PIXELS + i] = Math.abs(right - left);
    maps[2 * PIXELS + i] = Math.abs(down - up);
    maps[3 * PIXELS + i] = Math.abs(left + right + up + down - 4 * image[i]) / 2;
  }
  return maps;
}

// The random numbers behind 200 draws, cell by cell. For "block" a pixel takes the smallest number of
// the 16 squares that cover it.
export function noiseNumbers(noise, seed) {
  if (noise === "gaussian") return normal(seed, MOST_DRAWS * PIXELS);
  if (noise === "channel") return uniform(seed, MOST_DRAWS * MAPS);
  if (noise === "pixel") return uniform(seed, MOST_DRAWS * PIXELS);
  const corners = SIDE + BLOCK - 1;
  const squares = uniform(seed, MOST_DRAWS * corners * corners);
  // The smallest of four neighbours in the row, then of four such rows.
  const inRow = new Float32Array(squares.length);
  for (let i = 0; i + BLOCK <= squares.length; i++)
    inRow[i] = Math.min(squares[i], squares[i + 1], squares[i + 2], squares[i + 3]);
  const smallest = new Float32Array(MOST_DRAWS * PIXELS);
  for (let draw = 0, i = 0; draw < MOST_DRAWS; draw++)
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++, i++) {
        const k = (draw * corners + row) * corners + column;
        smallest[i] = Math.min(inRow[k], inRow[k + corners], inRow[k + 2 * corners], inRow[k + 3 * corners]);
      }
  return smallest;
}

// What each cell is multiplied by: mean 1, variance p / q. At p = 1 everything is dropped.
export function noiseFactor(noise, numbers, p) {
  const q = 1 - p;
  const factor = new Float64Array(numbers.length);
  if (q === 0) return factor;
  if (noise === "gaussian") {
    const std = Math.sqrt(p / q);
    for (let i = 0; i < factor.length; i++) factor[i] = 1 + std * numbers[i];
    return factor;
  }
  const limit = Math.fround(noise === "block" ? 1 - Math.sqrt(Math.sqrt(Math.sqrt(Math.sqrt(q)))) : p);
  for (let i = 0; i < factor.length; i++) if (numbers[i] >= limit) factor[i] = 1 / q;
  return factor;
}

// From x and the factors of all draws: the draw-th draw, the mean of the first `draws`, and the RMS error
// of the mean of the first 1, 2, ... 200. x holds x.length / cells values a cell, one cell after another.
export function averageDraws(x, factor, draws) {
  const cells = factor.length / MOST_DRAWS, each = x.length / cells;
  const energy = new Float64Array(cells), total = new Float64Array(cells);
  x.forEach((value, i) => (energy[Math.floor(i / each)] += value * value));
  const one = new Float64Array(x.length), mean = new Float64Array(x.length);
  const errors = new Float64Array(MOST_DRAWS);
  for (let k = 0; k < MOST_DRAWS; k++) {
    for (let c = 0; c < cells; c++) {
      total[c] += factor[k * cells + c];
      errors[k] += energy[c] * (total[c] / (k + 1) - 1) ** 2;
    }
    errors[k] = Math.sqrt(errors[k] / x.length);
    if (k !== draws - 1) continue;
    for (let i = 0; i < x.length; i++) {
      const c = Math.floor(i / each);
      one[i] = x[i] * factor[k * cells + c];
      mean[i] = (x[i] * total[c]) / draws;
    }
  }
  return { one, mean, errors };
}

// What the noise does to a value, in words.
export function factorInWords(noise, p) {
  if (p === 1) return "at p = 1 everything is dropped, and no factor makes up for that";
  if (noise === "gaussian") return `every value is multiplied by a number from N(1, p/(1 − p)), standard deviation ${Math.sqrt(p / (1 - p)).toFixed(2)}`;
  return `each kept value is multiplied by ${(1 / (1 - p)).toFixed(2)}`;
}

export default view((model, el) => {
  const ui = frame(model, el);
  const { buffer, byteOffset, byteLength } = model.get("images");
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const stamp = document.createElement("canvas");
  let drawn = { key: "" }; // the numbers of one noise and seed: dragging p or N does not draw them again
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.slider("draws", "draws in the mean N", { values: COUNTS, between: true, digits: 0 });
  ui.choice("noise", "noise on", NOISES);
  ui.choice("image", "image", model.get("class_names").map((name, index) => [index, name]));
  ui.play("Play: more and more draws", "Stop", {
    every: MS_PER_COUNT,
    started: () => ui.set({ draws: 1 }),
    tick() {
      const more = COUNTS.find((count) => count > model.get("draws"));
      if (!more) return false;
      ui.set({ draws: more });
      return true;
    },
  });
  ui.button("New draws", () => ui.set({ seed: model.get("seed") + 1 }));
  const panels = [0, 1, 2].map(() => ui.panel({ ratio: 1, tall: 7, wide: 7, grow: 1.5 }));
  const plot = ui.panel({ ratio: 1.2, tall: 10, wide: 20, title: "RMS error of the mean; theory √(p/(1 − p)/N) · rms(x)" });
  plot.words({ below: "N draws in the mean" });

  const paintImage = ({ g, width, height, look }, picture) => {
    const tiles = picture.length > PIXELS ? 2 : 1;
    stamp.width = stamp.height = tiles * SIDE;
    const ink = stamp.getContext("2d").createImageData(stamp.width, stamp.height);
    picture.forEach((value, i) => {
      const map = Math.floor(i / PIXELS), row = Math.floor((i % PIXELS) / SIDE), column = i % SIDE;
      const to = 4 * ((Math.floor(map / 2) * SIDE + row) * stamp.width + (map % 2) * SIDE + column);
      ink.data[to] = ink.data[to + 1] = ink.data[to + 2] = 255 * value; // clamped to 0..255
      ink.data[to + 3] = 255;
    });
    stamp.getContext("2d").putImageData(ink, 0, 0);
    const side = Math.min(width, height) - 2, left = (width - side) / 2;
    g.imageSmoothingEnabled = false;
    g.drawImage(stamp, left, 1, side, side);
    g.strokeStyle = look.ink;
    g.lineWidth = 1.5;
    g.strokeRect(left, 1, side, side);
    if (tiles === 2) {
      g.strokeStyle = "#8a8a8a";
      g.beginPath();
      g.moveTo(left + side / 2, 1); g.lineTo(left + side / 2, 1 + side);
      g.moveTo(left, 1 + side / 2); g.lineTo(left + side, 1 + side / 2);
      g.stroke();
    }
  };

  return ui.start(() => {
    const [p, noise, draws, seed] = ["p", "noise", "draws", "seed"].map((key) => model.get(key));
    const key = `${noise} ${seed}`;
    if (drawn.key !== key) drawn = { key, numbers: noiseNumbers(noise, seed) };
    const start = model.get("image") * PIXELS;
    const image = Float64Array.from(bytes.subarray(start, start + PIXELS), (v) => v / 255);
    const x = noise === "channel" ? featureMaps(image) : image;
    const { one, mean, errors } = averageDraws(x, noiseFactor(noise, drawn.numbers, p), draws);
    const rms = Math.sqrt(x.reduce((total, v) => total + v * v, 0) / x.length);
    const theory = (n) => (p < 1 ? rms * Math.sqrt(p / (1 - p) / n) : rms);
    const rmsOne = Math.sqrt(one.reduce((total, v, i) => total + (v - x[i]) ** 2, 0) / x.length);

    [["original", x, noise === "channel" ? "image, edges ↔, edges ↕, Laplacian" : ""],
      [`draw ${draws}`, one, `RMS error ${rmsOne.toFixed(3)}`],
      [`mean of ${draws}`, mean, `RMS error ${errors[draws - 1].toFixed(3)}`]].forEach(([title, picture, below], k) => {
      panels[k].words({ title, below });
      panels[k].paint((pen) => paintImage(pen, picture));
    });
    plot.paint((pen) => {
      const log = (v) => Math.log10(Math.max(v, LOWEST / 10));
      const area = axes(pen, { xlim: [0, Math.log10(MOST_DRAWS)], ylim: [log(LOWEST), log(HIGHEST)], xticks: [0, 1, 2],
        yticks: [-2, -1, 0], xformat: (v) => String(10 ** v), yformat: (v) => String(10 ** v) });
      const counts = Array.from(errors, (_, k) => k + 1), xs = counts.map(Math.log10);
      area.line(xs, counts.map((n) => log(theory(n))), "theory");
      area.line(xs, counts.map((n) => log(errors[n - 1])), "measured");
      area.cursor(Math.log10(draws));
    });
    ui.legend([{ series: "measured", value: errors[draws - 1].toFixed(4) },
      { series: "theory", value: theory(draws).toFixed(4) }]);
    return {
      text: `mean of ${draws}: RMS error ${errors[draws - 1].toFixed(4)}, theory ${theory(draws).toFixed(4)}`
        + ` · ${factorInWords(noise, p)} · 0 is black, 1 and above white`,
      label: `${model.get("class_names")[model.get("image")]}, ${noise} noise at p ${p.toFixed(2)}: original, draw ${draws}, and mean of `
        + `${draws} draws, RMS error ${errors[draws - 1].toFixed(3)} against theory ${theory(draws).toFixed(3)}`,
    };
  });
});
