import { float32, nearestIndex } from "./core.js";
import { axes, grey, style } from "./plot.js";
import { frame, view } from "./ui.js";

// Twins of are_you_calibrated.py.
const CLASSES = 10, BINS = 15, FEW_BINS = 5, T95 = 2.093024, Z95 = 1.959964;
const METHODS = ["you", "no_dropout", "monte_carlo", "tempered"];
const sum = (values) => values.reduce((total, v) => total + v, 0);
const average = (values) => sum(values) / values.length;

// The parts of the bank: ln p of the 20 images {no_dropout, monte_carlo}; at each temperature, for all test images, `count`
// and `right` per bin, `nll` and `ece`.
export function readBank(bytes, temperatures, images) {
  const numbers = float32(bytes);
  let start = 0;
  const rows = (n, wide) => Array.from({ length: n }, () => [...numbers.subarray(start, (start += wide))]);
  const [no_dropout, monte_carlo] = [rows(images, CLASSES), rows(images, CLASSES)];
  const [count, right] = [rows(temperatures, BINS), rows(temperatures, BINS)];
  const [[nll], [ece]] = [rows(1, temperatures), rows(1, temperatures)];
  return { logs: { no_dropout, monte_carlo }, count, right, nll, ece };
}

// The favourite class, its probability, and the probability of all others, from ln p at a temperature.
export function firstAnswer(logs, temperature = 1) {
  const largest = Math.max(...logs), powers = logs.map((v) => Math.exp((v - largest) / temperature));
  const top = logs.indexOf(largest), total = sum(powers);
  return { top, said: powers[top] / total, rest: sum(powers.filter((_, c) => c !== top)) / total };
}

// NLL of one answer in nats: ln of the confidence if right, else of an equal share of the rest.
export function answerLoss(right, said, rest) {
  return -Math.log(right ? said : rest / (CLASSES - 1));
}

// [mean, low, high] of 20 numbers: the 95 % t interval.
export function interval(values) {
  const mean = average(values), n = values.length;
  const half = T95 * Math.sqrt(sum(values.map((v) => (v - mean) ** 2)) / (n - 1) / n);
  return [mean, mean - half, mean + half];
}

// [low, high]: the 95 % interval of a share of which `right` of n were seen (Wilson 1927).
export function shareInterval(right, n) {
  const middle = (right + Z95 ** 2 / 2) / (n + Z95 ** 2);
  const half = (Z95 / (n + Z95 ** 2)) * Math.sqrt((right * (n - right)) / n + Z95 ** 2 / 4);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

// Answers, the sum of their confidence and the right ones, per bin (0, 1/M], (1/M, 2/M], ...
export function binned(answers, bins) {
  const found = Array.from({ length: bins }, () => ({ count: 0, said: 0, right: 0 }));
  for (const { said, right } of answers) {
    const bin = found[Math.min(bins - 1, Math.max(0, Math.ceil(said * bins) - 1))];
    bin.count += 1;
    bin.said += said;
    bin.right += right ? 1 : 0;
  }
  return found;
}

// What each method said of each image: {method: [{top, said, right, loss}, ...]}; without a guess there is no "you".
export function judge({ logs, labels, options, guess, temperature }) {
  const answers = {
    you: guess?.map(([name, said]) => ({ top: options.indexOf(name), said, rest: 1 - said })),
    no_dropout: logs.no_dropout.map((row) => firstAnswer(row)),
    monte_carlo: logs.monte_carlo.map((row) => firstAnswer(row)),
    tempered: logs.no_dropout.map((row) => firstAnswer(row, temperature)),
  };
  const found = {};
  for (const method of METHODS)
    if (answers[method])
      found[method] = answers[method].map(({ top, said, rest }, k) => {
        const right = top === labels[k];
        return { top, said, right, loss: answerLoss(right, said, rest) };
      });
  return found;
}

// [mean, low, high] of the NLL of the first method less that of each other: {method: ...}.
export function compare(found) {
  const [first, ...others] = Object.keys(found);
  const less = (other) => interval(found[first].map(({ loss }, k) => loss - found[other][k].loss));
  return Object.fromEntries(others.map((other) => [other, less(other)]));
}

// A number with its sign; what rounds to 0 has a plus.
const signed = (v, digits = 2) => `${Number(v.toFixed(digits)) < 0 ? "−" : "+"}${Math.abs(v).toFixed(digits)}`;
const percent = (v) => `${Math.round(100 * v)} %`;
const between = (low, high, show) => `[${show(low)}, ${show(high)}]`;

const NOT = "20 answers cannot tell";

// Whose confidence is above or below the share right, in words.
export function excessInWords(found) {
  const points = (v) => signed(100 * v, 0);
  return Object.entries(found).map(([method, answers]) => {
    const [mean, low, high] = interval(answers.map(({ said, right }) => said - (right ? 1 : 0)));
    const word = low > 0 ? "too sure" : high < 0 ? "too modest" : NOT;
    return `${style(method).name} ${points(mean)} ${between(low, high, points)}, ${word}`;
  }).join(" · ");
}

// What the intervals of the differences in NLL say, in words.
export function lossInWords(found) {
  const first = Object.keys(found)[0];
  return Object.entries(compare(found)).map(([other, [mean, low, high]]) => {
    const word = high < 0 ? "better" : low > 0 ? "worse" : NOT;
    return `${style(first).name} minus ${style(other).name} ${signed(mean)} ${between(low, high, signed)}, ${word}`;
  }).join(" · ");
}

export default view((model, el) => {
  const ui = frame(model, el);
  const { options } = model.get("takes"), labels = model.get("labels"), temperatures = model.get("temperatures");
  const { buffer, byteOffset, byteLength } = model.get("images");
  const pixels = new Uint8Array(buffer, byteOffset, byteLength), count = labels.length;
  const all = readBank(model.get("bank"), temperatures.length, count);
  ui.slider("temperature", "temperature T", { values: temperatures, digits: 1 });
  const strip = ui.panel({ ratio: 6, tall: 11, most: 13, grow: 0, focus: true, title: "The images: click one, or reach it with Tab and the arrow keys" });
  const place = ui.group();
  const few = METHODS.map((method) => ui.panel({ ratio: 1, tall: 8, most: 13, wide: 9, title: style(method).name, place }));
  const many = ui.panel({ ratio: 1, tall: 8, most: 13, wide: 9, place });
  let cells = [], columns = 10;
  const chosen = ui.pick(strip, {
    at({ x, y }) {
      const cell = cells.findIndex((c) => x >= c.x && x < c.x + c.wide && y >= c.y && y < c.y + c.high);
      return cell < 0 ? null : cell;
    },
    move(cell, key) {
      if (cell === null) return model.get("image");
      const step = { ArrowUp: -columns, ArrowDown: columns, ArrowLeft: -1, ArrowRight: 1, Home: -count, End: count }[key];
      return Math.min(count - 1, Math.max(0, cell + step));
    },
    press: (cell) => ui.set({ image: cell }),
    say: (cell) => `image ${cell + 1}`,
  });
  for (const key of ["guess", "covered"]) ui.on(`change:${key}`, ui.redraw);

  const drawStrip = (pen, found, image) => {
    const { g, em, look, width, height } = pen;
    // As many columns as make the images largest; below each, what was right (the method's mark) and what was not.
    const side = (n) => Math.min(width / n, height / Math.ceil(count / n) - 1.1 * em);
    columns = [20, 10, 7, 5, 4].reduce((best, n) => (side(n) > side(best) ? n : best));
    const wide = width / columns, high = height / Math.ceil(count / columns), size = side(columns) - 0.5 * em;
    const methods = Object.keys(found).filter((method) => method !== "tempered"); // a temperature keeps the order
    cells = labels.map((_, k) => ({ x: (k % columns) * wide, y: Math.floor(k / columns) * high, wide, high }));
    cells.forEach(({ x, y }, k) => {
      const left = x + (wide - size) / 2, top = y + 0.25 * em;
      grey(pen, pixels.subarray(784 * k, 784 * (k + 1)), left, top, size);
      g.setLineDash([]);
      // In colour, since the images are white where a dark page has white ink.
      g.strokeStyle = k === image ? look.blue : k === chosen.now ? look.orange : look.ink;
      g.lineWidth = (k === image ? 3 : k === chosen.now ? 2 : 0.7) * pen.thin;
      g.strokeRect(left, top, size, size);
      methods.forEach((method, i) => {
        pen.ink(method);
        const step = Math.min(1.1 * em, size / methods.length);
        pen.mark(found[method][k].right ? style(method).marker : "cross", x + wide / 2 + (i - (methods.length - 1) / 2) * step, top + size + 0.65 * em, 0.9);
      });
    });
  };
  const TICKS = { xlim: [0, 1], ylim: [0, 1], xticks: [0, 0.5, 1], yticks: [0, 0.5, 1] };
  const drawFew = (pen, answers, method) => {
    const area = axes(pen, TICKS);
    area.line([0, 1], [0, 1], "calibrated", { width: 1.5 });
    for (const { count: n, said, right } of binned(answers, FEW_BINS)) {
      if (!n) continue;
      const [low, high] = shareInterval(right, n);
      pen.ink(method, 2.5);
      pen.segment(area.X(said / n), area.Y(low), area.X(said / n), area.Y(high));
      pen.mark(style(method).marker, area.X(said / n), area.Y(right / n), 0.6 + 0.35 * Math.sqrt(n));
    }
  };

  return ui.start(() => {
    const at = nearestIndex(temperatures, model.get("temperature")), temperature = temperatures[at];
    const image = model.get("image"), guess = model.get("guess");
    const found = judge({ logs: all.logs, labels, options, guess, temperature });
    const of = (method) => {
      const { top, said, right } = found[method][image];
      return `${style(method).name}: ${options[top]}, ${percent(said)}${right ? "" : " (wrong)"}`;
    };
    strip.words({ below: `Image ${image + 1}: ${options[labels[image]]}. ${Object.keys(found).map(of).join(" · ")}` });
    strip.paint((pen) => drawStrip(pen, found, image));
    METHODS.forEach((method, k) => {
      few[k].show(method in found);
      if (!(method in found)) return;
      const answers = found[method], [nll, low, high] = interval(answers.map(({ loss }) => loss));
      few[k].words({
        above: `right ${answers.filter(({ right }) => right).length} of ${count}, says ${percent(average(answers.map(({ said }) => said)))}`,
        below: `NLL ${nll.toFixed(2)} ${between(low, high, (v) => v.toFixed(2))}`,
      });
      few[k].paint((pen) => drawFew(pen, answers, method));
    });
    many.words({ title: "10,000 test images", above: `${style("tempered").name}, T = ${temperature.toFixed(1)}`,
      below: `NLL ${all.nll[at].toFixed(2)}, ECE ${all.ece[at].toFixed(2)}` });
    many.paint((pen) => {
      const area = axes(pen, TICKS);
      area.bars(all.right[at].map((right, k) => right / Math.max(1, all.count[at][k])), 0, 1, "tempered", 0.5);
      area.line([0, 1], [0, 1], "calibrated", { width: 1.5 });
    });
    ui.legend([...Object.keys(found).filter((method) => method !== "tempered").map((series) => ({ series, name: `${style(series).name}: right` })),
      { series: "dropped", name: "wrong (each in its colour)" }, { series: "calibrated" }]);
    return {
      text: `Across: confidence; up: share right, with 95 % intervals. Confidence minus share right, in points: ${excessInWords(found)}. `
        + `NLL: ${lossInWords(found)}.`,
      label: `The ${count} images; image ${image + 1} is a ${options[labels[image]]}; ${Object.keys(found).map((method) =>
        `${style(method).name} right on ${found[method].filter(({ right }) => right).length}`).join(", ")}`,
    };
  });
});
