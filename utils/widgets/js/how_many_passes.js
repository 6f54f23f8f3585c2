import { nearestIndex } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

const WHENS = [["end", "at the end"], ["stopped", "stopped early"]], ARMS = ["without", "with"];
const signed = (value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
const interval = ([mean, low, high], show) => `${show(mean)} [${show(low)}, ${show(high)}]`;
const often = (passes) => `${passes} ${passes > 1 ? "passes" : "pass"}`;

// A text as [piece, whether it is a copy]; spans: where copies begin and end.
export function pieces(text, spans) {
  const found = [];
  let at = 0;
  for (const [start, stop] of [...spans, [text.length, text.length]]) {
    found.push([text.slice(at, start), false], [text.slice(start, stop), true]);
    at = stop;
  }
  return found.filter(([piece]) => piece);
}

// The numbers in words.
export function inWords({ p, passes, at, k, seed, differences, nats, texts, lengths, long, alike, seeds }) {
  const { spans, longest } = texts[k][at][seed];
  const copied = spans.reduce((total, [start, stop]) => total + stop - start, 0);
  const mean = texts[k][at].reduce((total, one) => total + one.longest, 0) / seeds;
  return `${often(passes)} over ${lengths[at].toLocaleString("en")} characters, test nats at p = ${p}: `
    + WHENS.map(([, words], when) => `${interval(nats[when][k][at], (v) => v.toFixed(3))} ${words}`).join(", ")
    + `; all characters equally likely cost ${alike.toFixed(3)}. Dropout `
    + WHENS.map(([, words], when) => `${differences[when][at][3]} ${words}: ${interval(differences[when][at], signed)}`).join(", ")
    + `. Longest piece from its training text: ${longest} characters here, ${mean.toFixed(1)} on average of ${seeds}; `
    + `in pieces of ${long} or more: ${copied} characters.`;
}

export default view((model, el) => {
  const ui = frame(model, el);
  const spec = model.get("layout_numbers"), { places } = spec;
  const [differences, nats, texts] = ["differences", "nats", "texts"].map((key) => model.get(key));
  const minus = `p = ${spec.p[1]} minus p = ${spec.p[0]}`;
  ui.slider("passes", "passes over the text", { values: spec.passes, digits: 0 });
  ui.choice("p", "drop probability p", spec.p.map((p) => [p, String(p)]));
  ui.button("Another text", () => ui.set({ seed: (model.get("seed") + 1) % spec.seeds }));
  const gap = ui.panel({ ratio: 1, tall: 13, most: 19, wide: 14, title: minus });
  const each = ui.panel({ ratio: 1, tall: 13, most: 19, wide: 14, title: `p = ${spec.p[0]} and p = ${spec.p[1]}` });
  const prose = ui.prose({ wide: 32, grow: 5 });
  for (const panel of [gap, each]) panel.words({ above: "test nats per character", below: "passes over the text" });
  const names = { xlim: [places[0], places.at(-1)], xticks: places, xformat: (x) => String(spec.passes[places.indexOf(x)]) };
  for (const key of ["guess", "covered"]) ui.on(`change:${key}`, ui.redraw);

  const curve = (area, rows, series) => {
    area.band(places, rows.map((row) => row[1]), rows.map((row) => row[2]), series);
    area.line(places, rows.map((row) => row[0]), series, { marks: true });
  };

  return ui.start(() => {
    const [k, at] = ["p", "passes"].map((key) => nearestIndex(spec[key], model.get(key)));
    const p = spec.p[k], passes = spec.passes[at], seed = model.get("seed"), drawn = ui.curve();
    gap.paint((pen) => {
      const [low, high, yticks] = spec.differences, area = axes(pen, { ...names, ylim: [low, high], yticks });
      area.cursor(places[at]);
      WHENS.forEach(([when], i) => curve(area, differences[i], `minus ${when}`));
      if (drawn) area.line(...drawn, "guess", { marks: true });
    });
    each.paint((pen) => {
      const [low, high, yticks] = spec.nats, area = axes(pen, { ...names, ylim: [low, high], yticks });
      area.cursor(places[at]);
      area.line([places[0], places.at(-1)], [spec.alike, spec.alike], "alike", { width: 1.5 });
      WHENS.forEach(([when], i) => ARMS.forEach((arm, j) => curve(area, nats[i][j], `${arm} ${when}`)));
    });
    const { text, spans, longest } = texts[k][at][seed];
    prose.write(`Written at p = ${p} after ${often(passes)} (${seed + 1} of ${spec.seeds})`, pieces(text, spans), "copied");
    ui.legend([...WHENS.map(([when]) => ({ series: `minus ${when}` })), ...ARMS.flatMap((arm) => WHENS.map(([when]) => ({ series: `${arm} ${when}` }))),
      { series: "alike" }, { series: "copied" }, ...(drawn ? [{ series: "guess" }] : [])]);
    return {
      text: inWords({ ...spec, p, passes, at, k, seed, differences, nats, texts }),
      label: `${minus}, test nats at the end: ${spec.passes.map((n, i) => `${signed(differences[0][i][0])} at ${often(n)}`).join(", ")}. `
        + `Longest copy in the text on show: ${longest} characters.`,
    };
  });
});
