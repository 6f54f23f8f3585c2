import { normal, uniform } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const NOISES = ["binary", "Gaussian", "three-level", "DropConnect"], DRAWS = 500;
const seriesOf = (noise) => (noise === "DropConnect" ? "on weights" : "on units");

// What the factors are made from, whatever p is: uniform or normal numbers.
export function raw(noise, terms, seed) {
  const n = DRAWS * terms * (noise === "DropConnect" ? 2 : 1), stream = 4 * seed + NOISES.indexOf(noise);
  return noise === "Gaussian" ? normal(stream, n) : uniform(stream, n);
}

// A function that makes a factor minus 1 of such a number.
function noiseOf(noise, p) {
  const v = p / (1 - p), std = Math.sqrt(v), limit = Math.fround(p), kept = 1 / (1 - p) - 1;
  if (noise === "Gaussian") return (z) => std * z;
  if (noise === "three-level") return (u) => (u > 1 - v / 2) - (u < v / 2);
  return (u) => (u >= limit ? kept : -1); // as keepMask in core.js
}

// The first readers, scaled to variance 1 at each unit where the factors have it.
export function scaledReaders(readers, terms) {
  const rows = readers.slice(0, terms);
  const size = [0, 1].map((j) => Math.sqrt(rows.reduce((total, row) => total + row[j] ** 2, 0)));
  return rows.map((row) => row.map((w, j) => w / size[j]));
}

// The noise at two units: [draws of the first, draws of the second]. Numbers come in the order draw, term, reader.
export function cloud(noise, p, numbers, rows) {
  const e = noiseOf(noise, p), width = noise === "DropConnect" ? 2 : 1, z = [new Float64Array(DRAWS), new Float64Array(DRAWS)];
  for (let t = 0, at = 0; t < DRAWS; t++)
    for (let i = 0; i < rows.length; i++, at += width) {
      z[0][t] += rows[i][0] * e(numbers[at]);
      z[1][t] += rows[i][1] * e(numbers[at + width - 1]);
    }
  return z;
}

// Variance at each unit, correlation of the two, excess kurtosis at the first, expected over draws.
export function theory(noise, p, rows) {
  const v = p / (1 - p), fourth = rows.reduce((total, row) => total + row[0] ** 4, 0);
  const kurtosis = v === 0 || noise === "Gaussian" ? 0 : noise === "three-level" ? 1 / v - 3 : 1 / (p * (1 - p)) - 6;
  return [v, noise === "DropConnect" ? 0 : rows.reduce((total, row) => total + row[0] * row[1], 0), kurtosis * fourth];
}

export function correlation([a, b]) {
  let ab = 0, aa = 0, bb = 0;
  for (let t = 0; t < a.length; t++) { ab += a[t] * b[t]; aa += a[t] ** 2; bb += b[t] ** 2; }
  return aa * bb > 0 ? ab / Math.sqrt(aa * bb) : NaN;
}

const signed = (value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;

export default view((model, el) => {
  const ui = frame(model, el);
  const { terms: choices, matters, axis, ellipse, trained_p: trainedP } = model.get("layout_numbers");
  const felt = model.get("felt");
  ui.slider("p", "drop probability p", { min: 0, max: 0.5, step: 0.01 });
  ui.slider("terms", "values added up", { values: choices, digits: 0 });
  ui.choice("when", "trained nets", Object.keys(felt).map((when) => [when, when]));
  ui.button("New draws", () => ui.set({ seed: model.get("seed") + 1 }));
  // Two by two, or all in a row: three and one would give the last another shape.
  const pairs = [ui.group(25), ui.group(25)];
  const clouds = NOISES.map((title, k) => ui.panel({ title, ratio: 1, tall: 10, most: 15, wide: 12, place: pairs[k >> 1] }));
  const nets = ui.panel({ ratio: 4, tall: 9, most: 11, grow: 0 });
  nets.words({ below: "test NLL minus that of binary dropout" });
  let known = { key: "" }; // dragging p draws no new numbers
  const all = Object.values(felt).flat().flatMap(([, , low, high]) => [low, high, -matters, matters]);
  const step = 0.05, first = Math.floor(Math.min(...all) / step), last = Math.ceil(Math.max(...all) / step);
  const xticks = Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);

  return ui.start(() => {
    const [p, terms, when, seed] = ["p", "terms", "when", "seed"].map((key) => model.get(key));
    const key = `${terms} ${seed}`;
    if (known.key !== key) known = { key, numbers: NOISES.map((noise) => raw(noise, terms, seed)) };
    const rows = scaledReaders(model.get("readers"), terms);
    const expected = NOISES.map((noise) => theory(noise, p, rows));
    const found = NOISES.map((noise, k) => {
      const z = cloud(noise, p, known.numbers[k], rows), [v, rho] = expected[k];
      clouds[k].words({ above: `correlation ${correlation(z).toFixed(2)}`, below: `theory ${rho.toFixed(2)}` });
      clouds[k].paint((pen) => {
        const side = Math.min(pen.width, pen.height), box = { x: (pen.width - side) / 2, y: 0, width: side, height: side };
        const ends = [-axis, axis], ticks = [-axis, 0, axis], area = axes(pen, { xlim: ends, ylim: ends, xticks: ticks, yticks: ticks, box });
        area.inside(() => {
          pen.ink(seriesOf(noise));
          pen.g.globalAlpha = 0.5;
          pen.dots(z[0].map(area.X), z[1].map(area.Y), 0.5);
        });
        const turn = Array.from({ length: 61 }, (_, i) => (Math.PI * i) / 30), far = ellipse * Math.sqrt(v);
        area.line(turn.map((a) => far * Math.cos(a)), turn.map((a) => far * (rho * Math.cos(a) + Math.sqrt(Math.max(0, 1 - rho * rho)) * Math.sin(a))), "theory");
      });
      return z;
    });
    nets.words({ title: `Nets trained at p = ${trainedP}, ${when}` });
    nets.paint((pen) => {
      const results = felt[when], n = results.length;
      const area = axes(pen, { xlim: [xticks[0], xticks.at(-1)], ylim: [-0.5, n - 0.5], xticks, xformat: (x) => x.toFixed(2),
        yticks: results.map((_, i) => i), yformat: (i) => results[n - 1 - i][0] });
      area.band([-matters, matters], [-0.5, -0.5], [n - 0.5, n - 0.5], "unnoticed");
      results.forEach(([, middle, low, high], i) => {
        area.line([low, high], [n - 1 - i, n - 1 - i], "interval", { width: 4 });
        area.line([middle], [n - 1 - i], "interval", { marks: true });
      });
    }, when);
    ui.legend([{ series: "on units" }, { series: "on weights" }, { series: "theory", name: `${ellipse} standard deviations, in theory` },
      { series: "interval" }, { series: "unnoticed", name: `less than ${matters}` }]);
    const shapes = NOISES.map((noise, k) => `${noise} ${expected[k][2].toFixed(2)}`).join(", ");
    const told = felt[when].map(([name, middle, low, high, word]) => `${name} ${signed(middle)} [${signed(low)}, ${signed(high)}], ${word}`).join("; ");
    return {
      text: `All four: variance ${expected[0][0].toFixed(2)} at each unit. Excess kurtosis at unit 1 in theory (0 is a bell curve): ${shapes} · `
        + `The same NLL as binary dropout, ${when}? ${told}`,
      label: `Noise at two units that add up ${terms} values: correlation ${NOISES.map((noise, k) => `${correlation(found[k]).toFixed(2)} for ${noise}`).join(", ")}.`,
    };
  });
});
