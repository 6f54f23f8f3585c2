import { keepMask, normal, uniform } from "./core.js";
import { joined, left } from "./history.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const H = 32, NUM_TRAIN = 60, NUM_FRESH = 500, NOISE = 0.35, LR = 0.2;
const EPOCHS_PER_POINT = 20, MAX_EPOCHS = 6000, MS_PER_FRAME = 4;
// Where W1, b1, W2 (row by row), b2, W3, b3 of a net begin in its numbers, and their end.
const [B1, W2, B2, W3, B3, END] = [2 * H, 3 * H, 3 * H + H * H, 4 * H + H * H, 6 * H + H * H, 6 * H + H * H + 2];
const SERIES = ["without training", "without fresh", "with training", "with fresh", "L2 training", "L2 fresh"];

// The twins of half_moons, first_weights and factors in overfit_race.py.
export function halfMoons(n, seed) {
  const angles = uniform(seed, n), noise = normal(seed + 1, 2 * n), x = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const label = i % 2, sign = 1 - 2 * label, angle = Math.PI * angles[i];
    x[2 * i] = label + sign * Math.cos(angle) + NOISE * noise[2 * i];
    x[2 * i + 1] = 0.5 * label + sign * Math.sin(angle) + NOISE * noise[2 * i + 1];
  }
  return x;
}

export function firstWeights(seed) {
  const numbers = normal(4 * seed + 2, 4 * H + H * H), net = new Float64Array(END);
  for (let i = 0; i < 2 * H; i++) net[i] = numbers[i]; // sqrt(2 / 2) = 1
  for (let i = 0; i < H * H; i++) net[W2 + i] = Math.sqrt(2 / H) * numbers[2 * H + i];
  for (let i = 0; i < 2 * H; i++) net[W3 + i] = Math.sqrt(2 / H) * numbers[2 * H + H * H + i];
  return net;
}

export function dropFactors(seed, epoch, p) {
  const n = 2 * NUM_TRAIN * H, mask = keepMask(uniform(4 * seed + 3, n, epoch * n), p);
  const scale = p < 1 ? 1 / (1 - p) : 0;
  return new Float64Array(mask).map((kept) => kept * scale);
}

// Hidden values after dropout (factor null: none) and the two logits of one point: h1, h2, z are filled.
function forward(net, x0, x1, factor, i, h1, h2, z) {
  for (let j = 0; j < H; j++) {
    const v = x0 * net[j] + x1 * net[H + j] + net[B1 + j];
    h1[j] = v > 0 ? (factor ? v * factor[i * H + j] : v) : 0;
    h2[j] = net[B2 + j];
  }
  for (let k = 0; k < H; k++) {
    const h = h1[k];
    if (h !== 0) for (let j = 0, w = W2 + k * H; j < H; j++, w++) h2[j] += h * net[w];
  }
  z[0] = net[B3]; z[1] = net[B3 + 1];
  for (let j = 0; j < H; j++) {
    const v = h2[j] > 0 ? (factor ? h2[j] * factor[(NUM_TRAIN + i) * H + j] : h2[j]) : 0;
    h2[j] = v;
    z[0] += v * net[W3 + 2 * j];
    z[1] += v * net[W3 + 2 * j + 1];
  }
}

const h1 = new Float64Array(H), h2 = new Float64Array(H), z = new Float64Array(2), d1 = new Float64Array(H), d2 = new Float64Array(H);
const grad = new Float64Array(END);

// One step of gradient descent on all training points, in place.
export function trainEpoch(net, x, factor, l2) {
  grad.fill(0);
  for (let i = 0; i < NUM_TRAIN; i++) {
    const x0 = x[2 * i], x1 = x[2 * i + 1];
    forward(net, x0, x1, factor, i, h1, h2, z);
    const one = 1 / (1 + Math.exp(z[0] - z[1])); // softmax of two
    const e1 = (one - (i % 2)) / NUM_TRAIN, e0 = -e1;
    grad[B3] += e0; grad[B3 + 1] += e1;
    for (let j = 0; j < H; j++) {
      const h = h2[j];
      if (h === 0) { d2[j] = 0; continue; }
      grad[W3 + 2 * j] += h * e0;
      grad[W3 + 2 * j + 1] += h * e1;
      d2[j] = (e0 * net[W3 + 2 * j] + e1 * net[W3 + 2 * j + 1]) * (factor ? factor[(NUM_TRAIN + i) * H + j] : 1);
      grad[B2 + j] += d2[j];
    }
    for (let k = 0; k < H; k++) {
      const h = h1[k];
      if (h === 0) continue;
      let back = 0;
      for (let j = 0, w = W2 + k * H; j < H; j++, w++) { grad[w] += h * d2[j]; back += d2[j] * net[w]; }
      if (factor) back *= factor[i * H + k];
      grad[k] += back * x0;
      grad[H + k] += back * x1;
      grad[B1 + k] += back;
    }
  }
  for (let w = 0; w < END; w++) {
    const bias = (w >= B1 && w < W2) || (w >= B2 && w < W3) || w >= B3;
    net[w] -= LR * (grad[w] + (bias ? 0 : l2 * net[w]));
  }
}

// Mean loss in eval mode over the points from..to - 1.
export function loss(net, x, from, to) {
  let total = 0;
  for (let i = from; i < to; i++) {
    forward(net, x[2 * i], x[2 * i + 1], null, 0, h1, h2, z);
    const behind = i % 2 ? z[0] - z[1] : z[1] - z[0];
    total += Math.max(behind, 0) + Math.log1p(Math.exp(-Math.abs(behind)));
  }
  return total / (to - from);
}

// Three nets from the same weights: left alone, with dropout, with L2. The twin of Race in overfit_race.py.
export function startRace(seed) {
  const race = { seed, epoch: 0, trained: [], x: halfMoons(NUM_TRAIN + NUM_FRESH, 4 * seed),
    nets: [0, 1, 2].map(() => firstWeights(seed)), history: [] };
  note(race);
  return race;
}

function note(race) {
  race.history.push([race.epoch, ...race.nets.flatMap((net) =>
    [loss(net, race.x, 0, NUM_TRAIN), loss(net, race.x, NUM_TRAIN, NUM_TRAIN + NUM_FRESH)])]);
}

export function trainRace(race, p, l2) {
  trainEpoch(race.nets[0], race.x, null, 0);
  trainEpoch(race.nets[1], race.x, p > 0 ? dropFactors(race.seed, race.epoch, p) : null, 0);
  trainEpoch(race.nets[2], race.x, null, l2);
  race.epoch += 1;
  race.trained = joined([...race.trained, [p, l2, 1]]);
  if (race.epoch % EPOCHS_PER_POINT === 0) note(race);
}

// The values that a setting had, in words: a slider that was moved slowly leaves many, of which the ends are named.
const changes = (values) => {
  const had = values.filter((v, i) => i === 0 || v !== values[i - 1]);
  return (had.length > 3 ? [had[0], "…", had.at(-1)] : had).join(", then ");
};

// The three nets in words: results keep the p that they had. The twin of titles() in overfit_race.py.
export function titles(trained, p, l2) {
  const had = trained.length ? trained : [[p, l2]];
  return ["without either", `dropout, p = ${changes(had.map(([v]) => v.toFixed(2)))}`, `L2 = ${changes(had.map(([, v]) => v))}`];
}

// Where the axis of the losses ends: a whole number above 1.5, so that no curve leaves it.
export const highest = (history) => {
  const most = Math.max(...history.flatMap(([, ...losses]) => losses));
  return most > 1.5 ? Math.ceil(most) : 1.5;
};

// What the next epochs will be trained with, if that is something else.
export function pending(trained, p, l2) {
  if (!trained.length) return "";
  const [lastP, lastL2] = trained.at(-1);
  return [...(lastP !== p ? [`p = ${p.toFixed(2)}`] : []), ...(lastL2 !== l2 ? [`L2 = ${l2}`] : [])].join(", ");
}

// Orange (0), white (.5), purple (1): PuOr, safe for colour-blind readers.
const PALETTE = Uint8ClampedArray.from({ length: 256 * 3 }, (_, k) => {
  const v = Math.floor(k / 3) / 255, ends = v < 0.5 ? [230, 97, 1] : [94, 60, 153];
  return 247 + (ends[k % 3] - 247) * Math.abs(v - 0.5) * 1.6;
});

export default view((model, el) => {
  const ui = frame(model, el);
  const { grid, x: xlim, y: ylim, l2_values: l2Values, typical } = model.get("layout_numbers");
  let race = startRace(model.get("seed"));
  let turn = 0;
  ui.slider("p", "drop probability p from now on", { min: 0, max: 0.9, step: 0.05 });
  ui.slider("l2", "L2 from now on", { values: l2Values, digits: 3 });
  const settings = () => [model.get("p"), model.get("l2")];
  // The history in the model that the race has reached. Someone else may set another one (Reset, Python, a file that was
  // opened again): then the race goes there first. ahead() is the next step on that way, [p, l2], or null.
  let known = "[]";
  const report = () => {
    while (race.epoch % EPOCHS_PER_POINT) trainRace(race, ...settings()); // to the next point of the curves
    const trained = race.trained.map((segment) => [...segment]);
    known = JSON.stringify(trained);
    ui.set({ trained });
  };
  const begin = (seed) => { race = startRace(seed); known = "[]"; };
  const ahead = () => {
    const wanted = model.get("trained"), words = JSON.stringify(wanted);
    if (race.seed !== model.get("seed")) begin(model.get("seed"));
    if (known === words) return null;
    if (left(race.trained, wanted) === null) begin(model.get("seed"));
    const [step] = left(race.trained, wanted);
    if (step) return step.slice(0, 2);
    known = words;
    if (race.epoch % EPOCHS_PER_POINT) note(race);
    return null;
  };
  const playing = ui.play("Play", "Stop", {
    // One picture a frame, and as many epochs as its time has left, so that no frame is late.
    tick() {
      const end = performance.now() + MS_PER_FRAME;
      ui.redraw();
      if (ahead() !== null) return true;
      paintSurface((turn += 1) % 3);
      do {
        trainRace(race, ...settings());
        if (race.epoch % (5 * EPOCHS_PER_POINT) === 0) report();
      } while (race.epoch < MAX_EPOCHS && performance.now() < end);
      return race.epoch < MAX_EPOCHS;
    },
    stopped: report,
  });
  ui.button("20 epochs", () => {
    if (ahead() !== null) return;
    for (let k = 0; k < EPOCHS_PER_POINT && race.epoch < MAX_EPOCHS; k++) trainRace(race, ...settings());
    report();
  });
  const restart = (seed) => { playing.turn(false); begin(seed); ui.set({ seed, trained: [] }); ui.redraw(); };
  ui.button("Start again", () => restart(model.get("seed")));
  ui.button("New points", () => restart(model.get("seed") + 1));
  const place = ui.group(), panels = [0, 1, 2].map(() => ui.panel({ ratio: 1, tall: 7, wide: 7, place }));
  const plot = ui.panel({ ratio: 2.6, tall: 11, most: 14, grow: 0 });
  plot.words({ title: "Loss in eval mode", below: "epoch" });

  // Pictures of the three decision surfaces; painted anew when their net has moved on.
  const surfaces = [0, 1, 2].map(() => Object.assign(document.createElement("canvas"), { width: grid, height: grid }));
  const paintSurface = (net) => {
    const g = surfaces[net].getContext("2d"), image = g.createImageData(grid, grid), at = (k, [low, high]) => low + (k * (high - low)) / (grid - 1);
    for (let i = 0; i < grid * grid; i++) {
      forward(race.nets[net], at(i % grid, xlim), at(grid - 1 - Math.floor(i / grid), ylim), null, 0, h1, h2, z);
      const level = Math.round(255 / (1 + Math.exp(z[0] - z[1])));
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = PALETTE[3 * level + c];
      image.data[4 * i + 3] = 255;
    }
    g.putImageData(image, 0, 0);
    Object.assign(surfaces[net], { race, epoch: race.epoch, painted: (surfaces[net].painted ?? 0) + 1 });
  };

  const drawSurface = ({ g, width, height, thin }, net) => {
    const side = Math.min(width, height), left = (width - side) / 2;
    g.imageSmoothingEnabled = true;
    g.drawImage(surfaces[net], left, 0, side, side);
    g.lineWidth = 1.5;
    g.strokeStyle = "#000000";
    for (let i = 0; i < NUM_TRAIN; i++) {
      const x = left + ((race.x[2 * i] - xlim[0]) / (xlim[1] - xlim[0])) * side;
      const y = ((ylim[1] - race.x[2 * i + 1]) / (ylim[1] - ylim[0])) * side;
      const r = 4.5 * thin;
      g.fillStyle = i % 2 ? "#5e3c99" : "#e66101";
      g.beginPath();
      if (i % 2) { g.moveTo(x, y - 1.3 * r); g.lineTo(x + 1.2 * r, y + r); g.lineTo(x - 1.2 * r, y + r); g.closePath(); }
      else g.arc(x, y, r, 0, 2 * Math.PI);
      g.fill();
      g.stroke();
    }
  };

  return ui.start(() => {
    let step = ahead();
    if (step !== null) {
      const end = performance.now() + MS_PER_FRAME;
      do trainRace(race, ...step); while ((step = ahead()) !== null && performance.now() < end);
      if (step !== null) ui.redraw(); // the rest in the next frames
    }
    if (!playing.on || surfaces.some((s) => s.race !== race))
      for (const [net, s] of surfaces.entries()) if (s.race !== race || s.epoch !== race.epoch) paintSurface(net);
    const [p, l2] = settings(), words = titles(race.trained, p, l2);
    panels.forEach((panel, net) => {
      panel.words({ title: words[net] });
      panel.paint((pen) => drawSurface(pen, net), surfaces[net].painted);
    });
    const epochs = race.history.map((row) => row[0]), after = pending(race.trained, p, l2);
    plot.paint((pen) => {
      const last = Math.max(200, epochs.at(-1)), most = highest(race.history);
      const area = axes(pen, { xlim: [0, last], ylim: [0, most], xticks: [0, last / 2, last],
        yticks: most > 1.5 ? [0, most / 2, most] : [0, 0.5, 1, 1.5] });
      const every = Math.max(1, Math.ceil(epochs.length / 8));
      // Where p or L2 changed.
      pen.g.strokeStyle = pen.look.ink;
      pen.g.lineWidth = 1;
      race.trained.slice(0, -1).reduce((sum, [, , count]) => {
        pen.segment(area.X(sum + count), area.inner.y, area.X(sum + count), area.inner.y + area.inner.height);
        return sum + count;
      }, 0);
      if (after) {
        area.cursor(epochs.at(-1));
        pen.write(`from now on ${after}`, area.X(epochs.at(-1)) - 0.4 * pen.em, area.inner.y + 0.7 * pen.em, { align: "right" });
      }
      SERIES.forEach((series, k) => {
        // Eight marks on each curve: they tell the nets apart without colour.
        const marks = epochs.map((_, i) => i).filter((i) => i % every === Math.floor(((k >> 1) * every) / 3));
        area.line(epochs, race.history.map((row) => row[k + 1]), series, { marks });
      });
    }, JSON.stringify([race.seed, race.history.at(-1), race.trained.slice(0, -1), after]));
    const [epoch, ...losses] = race.history.at(-1); // words that stay for some frames cost no layout
    ui.legend(SERIES.map((series, k) => ({ series, value: losses[k].toFixed(2) })));
    return {
      text: `epoch ${epoch}${step !== null ? ", on the way to where it was" : ""} · points ${race.seed}`
        + (race.seed === typical ? ", of ten draws the one nearest to the median in what dropout gains" : "")
        + " · Circles and triangles are the training points of two classes; the background is the class that the net would answer, "
        + "white where it is not sure.",
      label: `After ${epoch} epochs: ${words.map((name, net) =>
        `${name}: loss ${losses[2 * net].toFixed(2)} on training points, ${losses[2 * net + 1].toFixed(2)} on fresh ones`).join("; ")}`,
    };
  });
});
