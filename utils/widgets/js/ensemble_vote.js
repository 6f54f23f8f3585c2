import { frame, mark, plot } from "./ui.js";

const LINKS = [["linear", "linear output"], ["softmax", "softmax (geometric mean)"], ["relu", "ReLU in between"]];
const BINS = 40;

// log(1 + exp(x)) without overflow; log P(malignant) = -softplus(-score).
function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

// The score of a net whose hidden unit j is multiplied by factor(j).
export function netScore(net, example, factor) {
  let h = net.hidden[example].map((value, j) => value * factor(j));
  net.layers.forEach(([W, b], index) => {
    const next = [...b];
    for (let i = 0; i < h.length; i++)
      if (h[i] !== 0) for (let j = 0; j < next.length; j++) next[j] += h[i] * W[i][j];
    h = index + 1 < net.layers.length ? next.map((v) => Math.max(v, 0)) : next;
  });
  return h[0];
}

// Every subnetwork's score; mask i keeps unit j where bit j of i is set.
export function subnetScores(net, example, n) {
  return Float64Array.from({ length: 2 ** n }, (_, i) => netScore(net, example, (j) => (i >> j) & 1));
}

// How many units mask i keeps.
export function keptUnits(i) {
  let kept = 0;
  for (; i; i >>= 1) kept += i & 1;
  return kept;
}

// The three answers: {outputs, weights, vote, geometric (null if linear), onePass}.
export function ensembleAnswers(net, example, n, p, link, scores) {
  const output = link === "linear" ? (s) => s : (s) => Math.exp(-softplus(-s));
  const weights = scores.map((_, i) => p ** (n - keptUnits(i)) * (1 - p) ** keptUnits(i));
  const outputs = scores.map(output);
  const average = (f) => scores.reduce((total, s, i) => total + weights[i] * f(s), 0);
  let geometric = null;
  if (link !== "linear") {
    const yes = Math.exp(average((s) => -softplus(-s))), no = Math.exp(average((s) => -softplus(s)));
    geometric = yes / (yes + no);
  }
  return { outputs, weights, vote: average(output), geometric,
    onePass: output(netScore(net, example, () => 1 - p)) };
}

function render({ model, el }) {
  let known = { key: "" }; // the scores do not depend on p: dragging p does not compute them again

  const draw = (g, colours) => {
    const [p, n, link, example] = ["p", "n", "link", "example"].map((key) => model.get(key));
    const net = model.get("nets")[n - 1][link === "relu" ? "relu" : "softmax"];
    const key = `${n} ${link === "relu"} ${example}`;
    if (known.key !== key) known = { key, scores: subnetScores(net, example, n) };
    const { outputs, weights, vote, geometric, onePass } = ensembleAnswers(net, example, n, p, link, known.scores);

    let xlim = [0, 1], xticks = [0, 0.25, 0.5, 0.75, 1];
    if (link === "linear") {
      const step = [0.5, 1, 2, 5, 10].find((s) => (Math.max(...outputs) - Math.min(...outputs)) / s < 8) ?? 20;
      const first = Math.floor(Math.min(...outputs, -step / 2) / step);
      const last = Math.ceil(Math.max(...outputs, step / 2) / step);
      xticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
      xlim = [xticks[0], xticks[xticks.length - 1]];
    }
    const bars = new Array(BINS).fill(0);
    outputs.forEach((value, i) => {
      const bin = Math.floor(((value - xlim[0]) / (xlim[1] - xlim[0])) * BINS);
      bars[Math.min(BINS - 1, Math.max(0, bin))] += weights[i];
    });
    const top = [0.1, 0.2, 0.4, 1].find((high) => Math.max(...bars) <= high) ?? 1;
    const upper = { x: 62, y: 34, width: 590, height: 150 };
    const area = plot(g, colours, upper, { xlim, ylim: [0, top], xticks: [], yticks: [0, top / 2, top],
      xlabel: "", ylabel: "share of the vote", format: (v) => String(Number(v.toFixed(2))) });
    g.fillStyle = colours.first;
    g.globalAlpha = 0.45;
    bars.forEach((share, i) => {
      const left = upper.x + (i * upper.width) / BINS;
      g.fillRect(left + 0.5, area.Y(share), upper.width / BINS - 1, upper.y + upper.height - area.Y(share));
    });
    g.globalAlpha = 1;

    const lower = { x: 62, y: 226, width: 590, height: 180 };
    const strip = plot(g, colours, lower, { xlim, ylim: [-0.6, n + 0.6], xticks,
      yticks: n > 5 ? [0, n / 2, n].filter(Number.isInteger) : [0, n],
      xlabel: link === "linear" ? "score: logit(malignant) − logit(benign)" : "probability of “malignant”",
      ylabel: "units kept; one dot per subnetwork, larger = more probable" });
    g.fillStyle = colours.first;
    g.globalAlpha = 0.55;
    outputs.forEach((value, i) => {
      g.beginPath();
      g.arc(strip.X(value), strip.Y(keptUnits(i)), 1.2 + 18 * Math.sqrt(weights[i]), 0, 2 * Math.PI);
      g.fill();
    });
    g.globalAlpha = 1;

    const answers = [["vote (arithmetic mean)", vote, colours.first, [], "circle", 3],
      ["geometric mean", geometric, colours.second, [10, 6], "square", 3],
      ["one weight-scaled pass", onePass, colours.third, [3, 5], "triangle", 5]];
    answers.forEach(([name, value, colour, dash, shape, lineWidth], index) => {
      const y = 60 + 76 * index;
      g.fillStyle = colours.ink;
      g.fillText(name, 712, y);
      g.font = "bold 19px sans-serif";
      g.fillText(value === null ? "not for a linear output" : value.toFixed(5), 712, y + 25);
      g.font = "16px sans-serif";
      if (value === null) return;
      g.strokeStyle = g.fillStyle = colour;
      g.lineWidth = lineWidth;
      g.setLineDash(dash);
      g.beginPath();
      g.moveTo(area.X(value), upper.y); g.lineTo(area.X(value), upper.y + upper.height);
      g.moveTo(strip.X(value), lower.y); g.lineTo(strip.X(value), lower.y + lower.height);
      g.moveTo(670, y - 5); g.lineTo(704, y - 5);
      g.stroke();
      g.setLineDash([]);
      mark(g, shape, area.X(value), upper.y + 10 + 14 * index);
      mark(g, shape, 687, y - 5);
    });
    const says = (name, gap) =>
      `${name} − one pass: ${Math.abs(gap) < 1e-9 ? "0, exact" : `${gap > 0 ? "+" : "−"}${Math.abs(gap).toFixed(5)}`}`;
    const gaps = [says("vote", vote - onePass)];
    if (geometric !== null) gaps.push(says("geometric", geometric - onePass));
    g.fillStyle = colours.ink;
    gaps.forEach((words, i) => g.fillText(words, 670, 300 + 26 * i));
    g.fillText(`truth: ${model.get("malignant")[example] ? "malignant" : "benign"}`, 670, 300 + 26 * gaps.length);
    return {
      text: `${outputs.length.toLocaleString("en")} subnetworks at p = ${p.toFixed(2)} · ${gaps.join(" · ")}`,
      label: `${outputs.length} subnetworks: vote ${vote.toFixed(4)}, one weight-scaled pass ${onePass.toFixed(4)}`
        + (geometric === null ? "" : `, geometric mean ${geometric.toFixed(4)}`),
    };
  };

  const ui = frame(model, el, { width: 930, height: 460, draw });
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.slider("n", "hidden units n", { min: 1, max: 10, step: 1, digits: 0 });
  ui.choice("link", "after the dropped units", LINKS);
  ui.choice("example", "tumour", model.get("malignant").map((_, i) => [i, `case ${i + 1}`]));
  return ui.finish();
}

export default { render };
