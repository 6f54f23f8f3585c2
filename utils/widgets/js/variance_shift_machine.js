import { float16, keepMask, mean, normal, uniform } from "./core.js";
import { joined, left } from "./history.js";
import { axes, niceEnd } from "./plot.js";
import { frame, view } from "./ui.js";

const N = 400, D = 24, K = 10, SNEAKER = 7, BATCH = 50, LR = 0.1, MOMENTUM = 0.9, EPS = 1e-5;
const PER_POINT = 5, REFITS = 5, MAX_PASSES = 2000, STRIDE = N * (D + 1);
const HIGHEST_RATIO = 1.5; // the end of the axis
const RENEW = ["masks", "clean"]; // new statistics start anew
const DROPOUT_FIRST = "dropout first", NORM_FIRST = "batch norm first";

// The images out of the bytes that Python sends: {h, y} for training and test, and the sneakers among the latter.
export function readImages(bytes, classes) {
  const hidden = Float64Array.from(float16(bytes)), labels = new Uint8Array(classes.buffer, classes.byteOffset, classes.byteLength);
  const test = { h: hidden.slice(N * D), y: labels.slice(N) };
  const rows = Array.from(test.y).flatMap((label, i) => (label === SNEAKER ? [i] : []));
  return { train: { h: hidden.slice(0, N * D), y: labels.slice(0, N) }, test,
    sneakers: { h: Float64Array.from(rows.flatMap((i) => Array.from(test.h.slice(i * D, i * D + D)))) } };
}

// What dropout multiplies by.
function factors(U, p) {
  const mask = keepMask(U, p), scaled = new Float64Array(mask.length);
  for (let i = 0; i < mask.length; i++) scaled[i] = mask[i] / (1 - p);
  return scaled;
}

// Mean and variance of each unit over the rows of x; `less` is taken off the number of rows.
export function moments(x, less = 0) {
  const n = x.length / D, m = new Float64Array(D), v = new Float64Array(D);
  for (let at = 0; at < x.length; ) for (let d = 0; d < D; d++, at++) m[d] += x[at] / n;
  for (let at = 0; at < x.length; ) for (let d = 0; d < D; d++, at++) v[d] += (x[at] - m[d]) ** 2 / (n - less);
  return [m, v];
}

// What batch norm receives behind a dropout, by unit: {clean, trained}; and of their sums the {within, between}
// of variances() in variance_shift_machine.py.
export function variances({ h }, p) {
  const q = 1 - p, [m, clean] = moments(h), trained = new Float64Array(D), expected = new Float64Array(N);
  let within = 0;
  for (let i = 0; i < h.length; i++) {
    const d = i % D, kept = (h[i] / q - m[d]) ** 2, dropped = m[d] ** 2, e = q * kept + p * dropped;
    trained[d] += e / N;
    expected[Math.floor(i / D)] += e;
    within += (p * q * (kept - dropped) ** 2) / N;
  }
  const middle = mean(expected);
  return { clean, trained, within, between: mean(expected.map((e) => (e - middle) ** 2)) };
}

// The twin of Machine in variance_shift_machine.py.
export function startMachine(images, order, seed) {
  const machine = { images, order, seed, passes: 0, did: [], points: [],
    gamma: new Float64Array(D).fill(1), beta: new Float64Array(D), weights: normal(3 * seed, D * K).map((w) => w / Math.sqrt(D)),
    bias: new Float64Array(K), stored: [new Float64Array(D), new Float64Array(D).fill(1)] };
  machine.points.push(point(machine));
  return machine;
}

// Do `count` passes of one action.
export function act(machine, action, p, count) {
  const { images, seed } = machine;
  for (let k = 0; k < count; k++) {
    const first = machine.passes * STRIDE;
    let { h } = images[action === "sneakers" ? "sneakers" : action === "all" ? "test" : "train"], y = null;
    if (action === "train") {
      const rows = Array.from(uniform(3 * seed + 1, BATCH, first), (u) => Math.floor(u * N));
      y = rows.map((i) => images.train.y[i]);
      const batch = new Float64Array(BATCH * D);
      rows.forEach((i, to) => batch.set(h.subarray(i * D, i * D + D), to * D));
      h = batch;
    }
    const mask = factors(uniform(3 * seed + 1, h.length, first + N), p), x = received(machine, h, mask);
    const weight = RENEW.includes(action) ? 1 / (k + 1) : 1 - MOMENTUM;
    moments(x, 1).forEach((fresh, which) => {
      machine.stored[which] = machine.stored[which].map((old, d) => (1 - weight) * old + weight * fresh[d]);
    });
    if (y) trainStep(machine, x, y, mask);
    machine.passes += 1;
    if (machine.passes % PER_POINT === 0) machine.points.push(point(machine));
  }
  machine.did = joined([...machine.did, [action, p, count]], RENEW);
}

function received({ order }, h, mask) {
  if (order === NORM_FIRST) return h;
  const x = new Float64Array(h.length);
  for (let i = 0; i < h.length; i++) x[i] = h[i] * mask[i];
  return x;
}

// What the linear layer reads, and its logits.
function forward({ order, gamma, beta, weights, bias }, x, mask, [m, v]) {
  const n = x.length / D, normed = new Float64Array(n * D), read = new Float64Array(n * D), logits = new Float64Array(n * K);
  const scale = v.map((value) => 1 / Math.sqrt(value + EPS));
  for (let i = 0; i < n; i++) {
    for (let c = 0; c < K; c++) logits[i * K + c] = bias[c];
    for (let d = 0, at = i * D; d < D; d++, at++) {
      normed[at] = (x[at] - m[d]) * scale[d];
      read[at] = (gamma[d] * normed[at] + beta[d]) * (order === NORM_FIRST ? mask[at] : 1);
      for (let c = 0; c < K; c++) logits[i * K + c] += read[at] * weights[d * K + c];
    }
  }
  return { normed, read, logits };
}

// log(sum of exp) of row i of the logits.
function logSum(logits, i) {
  let top = -Infinity, total = 0;
  for (let at = i * K; at < i * K + K; at++) top = Math.max(top, logits[at]);
  for (let at = i * K; at < i * K + K; at++) total += Math.exp(logits[at] - top);
  return top + Math.log(total);
}

// One step of gradient descent; the units below stay as they are, so no gradient goes through the statistics.
function trainStep(machine, x, y, mask) {
  const { gamma, beta, weights, bias, order } = machine, n = y.length;
  const { normed, read, logits } = forward(machine, x, mask, moments(x));
  const before = weights.slice(), error = new Float64Array(K);
  for (let i = 0; i < n; i++) {
    const all = logSum(logits, i);
    for (let c = 0; c < K; c++) {
      error[c] = (Math.exp(logits[i * K + c] - all) - (y[i] === c)) / n;
      bias[c] -= LR * error[c];
    }
    for (let d = 0, at = i * D; d < D; d++, at++) {
      let back = 0;
      for (let c = 0; c < K; c++) {
        back += error[c] * before[d * K + c];
        weights[d * K + c] -= LR * read[at] * error[c];
      }
      if (order === NORM_FIRST) back *= mask[at];
      gamma[d] -= LR * back * normed[at];
      beta[d] -= LR * back;
    }
  }
}

// In eval or train mode: the variance that each unit receives from the training images; accuracy and NLL on the test images.
export function looks(machine, mode, p) {
  const { images, seed, passes } = machine, size = N * D;
  const mask = mode === "train" ? factors(uniform(3 * seed + 2, 2 * size, 2 * passes * size), p) : new Float64Array(2 * size).fill(1);
  const x = received(machine, images.test.h, mask.subarray(size));
  const { logits } = forward(machine, x, mask.subarray(size), mode === "train" ? moments(x) : machine.stored);
  let right = 0, nll = 0;
  images.test.y.forEach((label, i) => {
    let best = i * K;
    for (let at = best + 1; at < i * K + K; at++) if (logits[at] > logits[best]) best = at;
    right += best === i * K + label;
    nll += (logSum(logits, i) - logits[i * K + label]) / N;
  });
  return { received: moments(received(machine, images.train.h, mask))[1], accuracy: right / N, nll };
}

function point(machine) {
  return [machine.passes, mean(machine.stored[1]), looks(machine, "eval", 0).accuracy];
}

// [passes, mean stored variance, accuracy in eval] every five passes, and now.
export function history(machine) {
  return [...machine.points, ...(machine.passes % PER_POINT ? [point(machine)] : [])];
}

// The machine that has gone through `wanted`: the old one if it is on the way there, else one that starts anew.
export function follow(machine, images, order, seed, wanted) {
  const rest = machine?.order === order && machine.seed === seed ? left(machine.did, wanted, RENEW) : null;
  const now = rest ? machine : startMachine(images, order, seed);
  for (const [action, p, count] of rest ?? wanted) act(now, action, p, count);
  return now;
}

// The share that should be received, and the standard error of the measured one: {share, error, units}.
export function formula(images, { order, mode, p }) {
  const behind = order === DROPOUT_FIRST, { clean, trained, within, between } = variances(images.train, behind ? p : 0);
  const total = D * mean(trained), shifted = behind && mode === "eval";
  const share = shifted ? (D * mean(clean)) / total : 1;
  const spread = (((within + between) / BATCH) * (1 - MOMENTUM)) / (1 + MOMENTUM) + (mode === "train" ? within / N : 0);
  return { share, error: (share * Math.sqrt(spread)) / total, filled: total / D,
    units: Array.from(clean, (v, d) => (shifted ? v / trained[d] : 1)) };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

export default view((model, el) => {
  const ui = frame(model, el);
  const images = readImages(model.get("hidden"), model.get("labels"));
  let machine = null;
  ui.slider("p", "drop probability p from now on", { min: 0, max: 0.9, step: 0.05 });
  ui.choice("order", "order", [[DROPOUT_FIRST, "dropout, then batch norm"], [NORM_FIRST, "batch norm, then dropout"]]);
  ui.choice("mode", "look at it in", [["eval", "eval"], ["train", "train"]]);
  const doing = (action, count) => () => {
    const did = model.get("did"), room = MAX_PASSES - did.reduce((total, [, , k]) => total + k, 0);
    const next = [action, action === "clean" ? 0 : model.get("p"), RENEW.includes(action) ? REFITS : Math.min(count, room)];
    const able = next[2] > 0 && next[2] <= room;
    if (able) ui.set({ did: joined([...did, next], RENEW) });
    return able;
  };
  ui.play("Play: train", "Stop", { every: 60, tick: doing("train", 1) });
  ui.button("Train: 1 step", doing("train", 1));
  ui.button("Train: 100 steps", doing("train", 100));
  ui.button("100 passes in train(), sneakers", doing("sneakers", 100));
  ui.button("100 passes in train(), all images", doing("all", 100));
  ui.button("Recalibrate, masks on", doing("masks"));
  ui.button("Recalibrate, masks off", doing("clean"));
  ui.button("Start again", () => ui.set({ did: [] }));
  const boxes = ui.panel({ ratio: 12, tall: 3.4, most: 4, grow: 0, focus: true });
  const tank = ui.panel({ ratio: 1.1, tall: 11, most: 18, wide: 15 });
  const units = ui.panel({ ratio: 1.1, tall: 11, most: 18, wide: 15, title: "Received / stored, each unit" });
  const path = ui.panel({ ratio: 1.1, tall: 11, most: 18, wide: 15, title: "Test accuracy in eval" });
  tank.words({ title: "Stored variance", above: `mean of ${D} units` });
  units.words({ above: `measured (${HIGHEST_RATIO}: and above)`, below: "by the formula" });
  path.words({ below: "passes in train mode" });
  const swap = () => ui.set({ order: model.get("order") === DROPOUT_FIRST ? NORM_FIRST : DROPOUT_FIRST });
  const chosen = ui.pick(boxes, { at: () => "boxes", move: () => "boxes", press: swap,
    say: () => `${model.get("order")}; Space or Enter swaps the boxes` });
  boxes.canvas.style.cursor = "pointer";

  // Two boxes in their order, with arrows in, between and out.
  const drawBoxes = (pen, order) => {
    const { g, look, width, height, em, thin } = pen, y = height / 2;
    const names = order === DROPOUT_FIRST ? ["dropout", "batch norm"] : ["batch norm", "dropout"];
    const wide = Math.min(10 * em, 0.36 * width), gap = (width - 2 * wide) / 3;
    g.lineWidth = 2 * thin;
    names.forEach((name, k) => {
      const x = gap + k * (wide + gap);
      pen.ink(name === "dropout" ? "dropped" : "stored", chosen.now ? 4 : 2);
      g.strokeRect(x, y - 1.3 * em, wide, 2.6 * em);
      pen.write(name, x + wide / 2, y, { align: "center", bold: true });
    });
    g.strokeStyle = g.fillStyle = look.ink;
    g.lineWidth = 2 * thin;
    [0, gap + wide, 2 * (gap + wide)].forEach((x) => {
      pen.segment(x + 0.15 * gap, y, x + 0.8 * gap, y);
      const tip = x + 0.8 * gap + 0.4 * em;
      g.beginPath(); g.moveTo(tip, y); g.lineTo(tip - 0.7 * em, y - 0.3 * em); g.lineTo(tip - 0.7 * em, y + 0.3 * em); g.fill();
    });
  };

  return ui.start(() => {
    const [p, order, mode, seed, did] = ["p", "order", "mode", "seed", "did"].map((key) => model.get(key));
    machine = follow(machine, images, order, seed, did);
    const now = looks(machine, mode, p), theory = formula(images, { order, mode, p });
    const stored = mean(machine.stored[1]), arrives = mean(now.received);
    boxes.words({ below: mode === "eval" ? "In eval dropout lets everything pass; batch norm divides by what it has stored."
      : "In train dropout draws a mask; batch norm divides by the variance of its batch." });
    boxes.paint((pen) => drawBoxes(pen, order));
    tank.paint((pen) => {
      const end = niceEnd(1.05 * Math.max(stored, arrives, theory.filled));
      const area = axes(pen, { xlim: [0, 1], ylim: [0, end], xticks: [], yticks: [0, end / 2, end] });
      area.bars([stored], 0.12, 0.88, "stored", 0.55);
      area.line([0.04, 0.96], [theory.filled, theory.filled], "theory", { width: 3 });
      area.line([0, 1], [arrives, arrives], "received", { width: 3, marks: true });
    });
    units.paint((pen) => {
      const area = axes(pen, { xlim: [0, 1.05], ylim: [0, HIGHEST_RATIO], xticks: [0, 0.5, 1], yticks: [0, 0.5, 1, 1.5] });
      area.line([0, HIGHEST_RATIO], [0, HIGHEST_RATIO], "theory");
      pen.ink("received");
      pen.g.setLineDash([]);
      machine.stored[1].forEach((v, d) => pen.mark("circle", area.X(theory.units[d]), area.Y(Math.min(HIGHEST_RATIO, now.received[d] / v))));
    });
    const points = history(machine);
    path.words({ above: `now ${Math.round(N * points.at(-1)[2])} of ${N} images right` });
    path.paint((pen) => {
      const passes = points.map((row) => row[0]), last = Math.max(PER_POINT, passes.at(-1));
      const area = axes(pen, { xlim: [0, last], ylim: [0, 1], xticks: [0, last / 2, last], xformat: (v) => v.toFixed(0), yticks: [0, 0.5, 1] });
      // Where something else was done.
      pen.g.strokeStyle = pen.look.ink;
      pen.g.lineWidth = 1;
      did.slice(0, -1).reduce((sum, [, , count]) => {
        pen.segment(area.X(sum + count), area.inner.y, area.X(sum + count), area.inner.y + area.inner.height);
        return sum + count;
      }, 0);
      area.line(passes, points.map((row) => row[2]), "test", { marks: [passes.length - 1] });
    });
    ui.legend([{ series: "stored", value: stored.toFixed(2) }, { series: "received", value: arrives.toFixed(2) },
      { series: "theory", name: `training at p = ${p.toFixed(2)} would fill it to`, value: theory.filled.toFixed(2) }]);
    const share = arrives / stored;
    return {
      text: `In ${mode} batch norm receives ${percent(share)} of the variance that it has stored; when training at this p has filled it, `
        + `the formula says ${percent(theory.share)} (standard error ${(100 * theory.error).toFixed(1)}) · `
        + `test images in ${mode}: ${Math.round(N * now.accuracy)} of ${N} right, NLL ${now.nll.toFixed(2)} · ${machine.passes} passes`
        + (machine.passes >= MAX_PASSES ? ", no more: start again" : ""),
      label: `${order}, p ${p.toFixed(2)}, in ${mode}: stored variance ${stored.toFixed(2)}, received ${arrives.toFixed(2)}, ${Math.round(N * now.accuracy)} of ${N} test images right.`,
    };
  });
});
