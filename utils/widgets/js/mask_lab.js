import { binomial, keepMask, sum, uniform } from "./core.js";
import { frame } from "./ui.js";

const ROWS = 12, COLUMNS = 20, CELL = 28, TOP = 30, LEFT = 96;

function render({ model, el }) {
  let frozen = false;
  const masked = () => {
    const mask = keepMask(uniform(model.get("seed"), ROWS * COLUMNS), model.get("p"));
    for (const [cell, keep] of Object.entries(model.get("forced"))) mask[cell] = keep;
    return mask;
  };

  const draw = (g, colours) => {
    const mask = masked();
    const forced = model.get("forced");
    const q = 1 - model.get("p");
    g.fillStyle = colours.ink;
    g.fillText(`${COLUMNS} units:`, LEFT, TOP - 10);
    g.fillStyle = colours.first;
    g.fillText("■ kept", LEFT + 80, TOP - 10);
    g.fillStyle = colours.second;
    g.fillText("× dropped", LEFT + 150, TOP - 10);
    for (let row = 0; row < ROWS; row++) {
      const kept = sum(mask.subarray(row * COLUMNS, (row + 1) * COLUMNS));
      const middle = TOP + row * CELL + CELL / 2;
      g.fillStyle = colours.ink;
      g.fillText(`example ${row + 1}`, 0, middle + 5);
      g.fillText(`${kept} kept`, LEFT + COLUMNS * CELL + 12, middle + 5);
      for (let column = 0; column < COLUMNS; column++) {
        const x = LEFT + column * CELL, y = TOP + row * CELL;
        if (mask[row * COLUMNS + column]) {
          g.fillStyle = colours.first;
          g.fillRect(x + 3, y + 3, CELL - 6, CELL - 6);
        } else {
          g.strokeStyle = colours.second;
          g.lineWidth = 2.5;
          g.beginPath();
          g.moveTo(x + 9, y + 9); g.lineTo(x + CELL - 9, y + CELL - 9);
          g.moveTo(x + CELL - 9, y + 9); g.lineTo(x + 9, y + CELL - 9);
          g.stroke();
        }
        if (row * COLUMNS + column in forced) {
          g.strokeStyle = colours.ink;
          g.lineWidth = 2;
          g.strokeRect(x + 1.5, y + 1.5, CELL - 3, CELL - 3);
        }
      }
    }
    const kept = sum(mask), n = mask.length, expected = binomial(n, q);
    return {
      text: `kept ${kept} of ${n} = ${(kept / n).toFixed(3)} · expected ${(100 * q).toFixed(0)} %: `
        + `${expected.mean.toFixed(0)} ± ${expected.std.toFixed(1)} · kept values are multiplied by `
        + (q > 0 ? (1 / q).toFixed(2) : "nothing: all are dropped"),
      label: `${kept} of ${n} units kept at drop probability ${model.get("p").toFixed(2)}`,
    };
  };

  const ui = frame(model, el, { width: LEFT + COLUMNS * CELL + 90, height: TOP + ROWS * CELL + 6, draw });
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.01 });
  ui.button("Next batch", () => { if (!frozen) ui.set({ seed: model.get("seed") + 1, forced: {} }); });
  const freeze = ui.button("Freeze", () => {
    frozen = !frozen;
    freeze.setAttribute("aria-pressed", String(frozen));
    freeze.textContent = frozen ? "Frozen" : "Freeze";
  });
  ui.canvas.addEventListener("click", (event) => {
    const box = ui.canvas.getBoundingClientRect();
    const scale = (LEFT + COLUMNS * CELL + 90) / box.width;
    const column = Math.floor(((event.clientX - box.left) * scale - LEFT) / CELL);
    const row = Math.floor(((event.clientY - box.top) * scale - TOP) / CELL);
    if (column < 0 || column >= COLUMNS || row < 0 || row >= ROWS) return;
    const cell = row * COLUMNS + column;
    ui.set({ forced: { ...model.get("forced"), [cell]: 1 - masked()[cell] } });
  });
  return ui.finish();
}

export default { render };
