import { histogram, roundTicks } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const LINKS = [["linear", "linear output"], ["softmax", "softmax (geometric mean)"], ["relu", "ReLU in between"]];
const BINS = 40, DRAWN_UNITS = 3;

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

export default view((model, el) => {
  const ui = frame(model, el);
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.slider("n", "hidden units n", { min: 1, max: 10, step: 1, digits: 0 });
  ui.choice("link", "after the dropped units", LINKS);
  ui.choice("example", "tumour", model.get("malignant").map((_, i) => [i, `case ${i + 1}`]));
  const small = ui.panel({ ratio: 5, tall: 11, most: 11, grow: 0 });
  const bars = ui.panel({ ratio: 3.2, tall: 8, most: 11, grow: 0 });
  const strip = ui.panel({ ratio: 3, tall: 10, most: 13, grow: 0 });
  bars.words({ above: "share of the vote" });
  strip.words({ above: "units kept; one dot per subnetwork, larger = more probable" });
  // Every subnetwork of up to three units: its units, its answer, its probability.
  const drawNets = (pen, outputs, weights, n, linear) => {
    const { em, width, height } = pen, count = outputs.length;
    const columns = Math.min(count, width / count > 4.6 * em ? count : Math.max(1, Math.floor(width / (4.6 * em))));
    const rows = Math.ceil(count / columns), wide = width / columns, high = height / rows;
    const step = Math.min(2.4 * em, (high - 3 * em) / n), r = Math.min(0.42 * step, 0.7 * em);
    outputs.forEach((output, i) => {
      const x = ((i % columns) + 0.5) * wide, top = Math.floor(i / columns) * high + 0.3 * em;
      for (let j = 0; j < n; j++) {
        pen.ink((i >> j) & 1 ? "kept" : "dropped");
        pen.mark((i >> j) & 1 ? "square" : "cross", x, top + (j + 0.5) * step, r / (4.5 * pen.thin));
      }
      pen.write(output.toFixed(linear ? 1 : 2), x, top + n * step + 0.7 * em, { align: "center", bold: true });
      pen.write(`${(100 * weights[i]).toFixed(1)} %`, x, top + n * step + 1.9 * em, { align: "center" });
    });
  };
  let known = { key: "" }; // the scores do not depend on p: dragging p does not compute them again

  return ui.start((look) => {
    const [p, n, link, example] = ["p", "n", "link", "example"].map((key) => model.get(key));
    const net = model.get("nets")[n - 1][link === "relu" ? "relu" : "softmax"];
    const key = `${n} ${link === "relu"} ${example}`;
    if (known.key !== key) known = { key, scores: subnetScores(net, example, n) };
    const { outputs, weights, vote, geometric, onePass } = ensembleAnswers(net, example, n, p, link, known.scores);
    const answers = [["vote", vote], ["geometric", geometric], ["scaled", onePass]].filter(([, value]) => value !== null);

    small.show(n <= DRAWN_UNITS);
    small.words({ title: `The ${2 ** n} subnetworks: kept units, answer, probability of this mask` });
    if (n <= DRAWN_UNITS) small.paint((pen) => drawNets(pen, outputs, weights, n, link === "linear"));
    const xticks = link === "linear" ? roundTicks(outputs) : [0, 0.25, 0.5, 0.75, 1];
    const xlim = [xticks[0], xticks.at(-1)];
    const shares = histogram(outputs, ...xlim, BINS, weights);
    const top = [0.1, 0.2, 0.4, 1].find((high) => Math.max(...shares) <= high) ?? 1;
    strip.words({ below: link === "linear" ? "score: logit(malignant) − logit(benign)" : "probability of “malignant”" });
    // Labels of one length (figure spaces), so that the x axes of both panels stand below each other.
    const yformat = (v) => String(Number(v.toFixed(2))).padStart(4, "\u2007");
    bars.paint((pen) => {
      const area = axes(pen, { xlim, ylim: [0, top], xticks, yticks: [0, top / 2, top], yformat });
      area.bars(shares, ...xlim, "measured", 0.45);
      answers.forEach(([series, value], row) => area.rule(value, series, { width: 3, row }));
    });
    strip.paint((pen) => {
      const area = axes(pen, { xlim, ylim: [-0.6, n + 0.6], xticks, yformat,
        yticks: n > 5 ? [0, n / 2, n].filter(Number.isInteger) : [0, n] });
      area.inside(() => {
        pen.g.fillStyle = look.blue;
        pen.g.globalAlpha = 0.55;
        outputs.forEach((value, i) => {
          pen.g.beginPath();
          pen.g.arc(area.X(value), area.Y(keptUnits(i)), pen.thin * (1.2 + 18 * Math.sqrt(weights[i])), 0, 2 * Math.PI);
          pen.g.fill();
        });
      });
      answers.forEach(([series, value], row) => area.rule(value, series, { width: 3, row }));
    });
    ui.legend([...answers.map(([series, value]) => ({ series, value: value.toFixed(5) })),
      ...(n <= DRAWN_UNITS ? [{ series: "kept" }, { series: "dropped" }] : [])]);
    const says = (name, gap) =>
      `${name} − one pass: ${Math.abs(gap) < 1e-9 ? "0, exact" : `${gap > 0 ? "+" : "−"}${Math.abs(gap).toFixed(5)}`}`;
    const gaps = [says("vote", vote - onePass)];
    if (geometric !== null) gaps.push(says("geometric mean", geometric - onePass));
    return {
      text: `${outputs.length.toLocaleString("en")} subnetworks at p = ${p.toFixed(2)} · ${gaps.join(" · ")} · `
        + `the truth about this tumour: ${model.get("malignant")[example] ? "malignant" : "benign"}`
        + (geometric === null ? " · the geometric mean is one of probabilities: there is none for a linear output" : ""),
      label: `${outputs.length} subnetworks: vote ${vote.toFixed(4)}, one weight-scaled pass ${onePass.toFixed(4)}`
        + (geometric === null ? "" : `, geometric mean ${geometric.toFixed(4)}`),
    };
  });
});
