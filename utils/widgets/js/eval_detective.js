import { float32 } from "./core.js";
import { frame, view } from "./ui.js";

export default view((model, el) => {
  const ui = frame(model, el);
  const input = float32(model.get("input")), units = input.length;
  const options = model.get("options");
  ui.choice("framework", "framework", Object.keys(options).map((name) => [name, name]));
  const situations = () => (options[model.get("framework")] ?? []).map((words) => [words, words]);
  const box = ui.choice("situation", "how it is called", situations());
  ui.on("change:framework", () => box.fill(situations()));
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.05 });
  ui.button("Again, other seed", () => ui.set({ seed: model.get("seed") + 1 }));
  const inputs = ui.panel({ ratio: 26, tall: 1.6, most: 2, grow: 0 });
  const table = ui.panel({ ratio: 1.6, tall: 24, most: 26, grow: 0 });
  inputs.words({ title: `The input: ${units} numbers` });
  table.words({ below: "one row a pass; a bar is a value, a cross is a zero" });
  // The kernel answers a move with new outputs: that is when there is something new to paint.
  ui.on("change:outputs", ui.redraw);

  const drawRow = (pen, values, largest, left, y, high) => {
    const wide = (pen.width - left) / units;
    values.forEach((value, i) => {
      const x = left + i * wide;
      pen.ink(value === 0 ? "dropped" : "kept", 2);
      if (value === 0) pen.mark("cross", x + wide / 2, y + high / 2, Math.min(1.2, high / (14 * pen.thin)));
      else pen.g.fillRect(x, y + 0.12 * high, ((wide - 4) * value) / largest, 0.76 * high);
    });
  };

  return ui.start(() => {
    const out = float32(model.get("outputs"));
    const passes = out.length / units;
    const largest = out.reduce((a, b) => Math.max(a, b), input.at(-1));
    const rows = Array.from({ length: passes }, (_, k) => out.subarray(k * units, (k + 1) * units));
    const left = (pen) => pen.measure("pass 20") + 0.6 * pen.em;
    inputs.paint((pen) => drawRow(pen, input, largest, left(pen), 0, pen.height));
    table.words({ title: `${passes} passes of that input: ${model.get("framework")}, ${model.get("situation")}` });
    table.paint((pen) => {
      const high = pen.height / passes;
      rows.forEach((values, k) => {
        if (k === 0 || (k + 1) % 5 === 0) pen.write(`pass ${k + 1}`, 1, (k + 0.5) * high);
        drawRow(pen, values, largest, left(pen), k * high, high);
      });
    });
    const same = rows.every((values) => values.every((v, i) => v === input[i]));
    const distinct = new Set(rows.map((values) => values.join())).size;
    return {
      text: same ? `Dropout is OFF: all ${passes} outputs equal the input.`
        : `Dropout is ON: ${distinct} different output${distinct > 1 ? "s" : ""} in ${passes} passes of one input.`,
    };
  });
});
