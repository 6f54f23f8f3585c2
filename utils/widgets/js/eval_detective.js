import { float32 } from "./core.js";
import { frame } from "./ui.js";

const CELL_X = 46, CELL_Y = 17, LEFT = 90, TOP = 56;

function render({ model, el }) {
  const input = float32(model.get("input"));
  const units = input.length;

  const draw = (g, colours, { height }) => {
    const out = float32(model.get("outputs"));
    const passes = out.length / units;
    const largest = out.reduce((a, b) => Math.max(a, b), 1e-9);
    const row = (values, y, tall) => {
      for (let i = 0; i < units; i++) {
        const x = LEFT + i * CELL_X;
        if (values[i] === 0) {
          g.strokeStyle = colours.second;
          g.lineWidth = 2;
          g.beginPath();
          g.moveTo(x + 17, y + 4); g.lineTo(x + 27, y + tall - 4);
          g.moveTo(x + 27, y + 4); g.lineTo(x + 17, y + tall - 4);
          g.stroke();
        } else {
          g.fillStyle = colours.first;
          g.fillRect(x, y + 2, ((CELL_X - 4) * values[i]) / largest, tall - 4);
        }
      }
    };
    g.fillStyle = colours.ink;
    g.fillText("the input", 0, 31);
    row(input, 14, 24);
    g.strokeStyle = colours.faint;
    g.beginPath(); g.moveTo(0, TOP - 8); g.lineTo(LEFT + units * CELL_X, TOP - 8); g.stroke();
    const distinct = new Set();
    let same = true;
    for (let k = 0; k < passes; k++) {
      const values = out.subarray(k * units, (k + 1) * units);
      distinct.add(values.join());
      same &&= values.every((v, i) => v === input[i]);
      g.fillStyle = colours.ink;
      if (k % 5 === 0 || k === passes - 1) g.fillText(`pass ${k + 1}`, 0, TOP + k * CELL_Y + 14);
      row(values, TOP + k * CELL_Y, CELL_Y);
    }
    return {
      text: same ? `Dropout is OFF: all ${passes} outputs equal the input.`
        : `Dropout is ON: ${distinct.size} different output${distinct.size > 1 ? "s" : ""} `
          + `in ${passes} passes of one input. A bar is a value, a cross is a zero.`,
    };
  };

  const ui = frame(model, el, { width: LEFT + 12 * CELL_X, height: TOP + 20 * CELL_Y + 4, draw });
  const options = model.get("options");
  ui.choice("framework", "framework", Object.keys(options).map((name) => [name, name]));
  const situations = () => options[model.get("framework")].map((words) => [words, words]);
  const box = ui.choice("situation", "how it is called", situations());
  ui.on("change:framework", () => box.fill(situations()));
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.05 });
  ui.button("Again, other seed", () => ui.set({ seed: model.get("seed") + 1 }));
  // The kernel answers a move with new outputs: that is when there is something new to paint.
  ui.on("change:outputs", ui.redraw);
  return ui.finish();
}

export default { render };
