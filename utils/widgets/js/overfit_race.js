import { float32 } from "./core.js";
import { axes } from "./plot.js";
import { frame, view } from "./ui.js";

// "rgb(...)" between orange (0), white (.5) and purple (1): PuOr, safe for colour-blind readers.
function surfaceColour(v) {
  const ends = v < 0.5 ? [230, 97, 1] : [94, 60, 153];
  const t = Math.abs(v - 0.5) * 1.6;
  return `rgb(${ends.map((c) => Math.round(247 + (c - 247) * t)).join(",")})`;
}

// What the right net was trained with, in words: results keep the p that they had.
export function history(trained, p) {
  if (!trained.length) return `p = ${p.toFixed(2)}, not trained yet`;
  return `p = ${trained.map(([used]) => used.toFixed(2)).join(", then ")}`;
}

// What the next epochs will be trained with, if that is something else.
export function pending(trained, p) {
  return trained.length && trained.at(-1)[0] !== p ? `from now on p = ${p.toFixed(2)}` : "";
}

const SERIES = ["without training", "without fresh", "with training", "with fresh"]; // in the order of a row of curves

export default view((model, el) => {
  const ui = frame(model, el);
  const { grid, x: xlim, y: ylim, num_train: numTrain } = model.get("layout_numbers");
  ui.slider("p", "drop probability p from now on", { min: 0, max: 0.9, step: 0.05 });
  const play = ui.button("Play", () => ui.set({ playing: !model.get("playing") }));
  const showPlay = () => (play.textContent = model.get("playing") ? "Stop" : "Play");
  ui.on("change:playing", showPlay);
  showPlay();
  ui.button("Step", () => ui.set({ step: model.get("step") + 1 }));
  ui.button("New points", () => ui.set({ seed: model.get("seed") + 1 }));
  ui.button("Start again", () => ui.set({ restart: model.get("restart") + 1 }));
  ui.onReset(() => ({ playing: false }));
  ui.on("change:surfaces", ui.redraw);
  const panels = [ui.panel({ ratio: 1, tall: 11, wide: 14 }), ui.panel({ ratio: 1, tall: 11, wide: 14 })];
  const plot = ui.panel({ ratio: 1.1, tall: 11, wide: 18, grow: 1.4 });
  plot.words({ title: "Loss in eval mode", below: "epoch" });

  const drawSurface = ({ g, width, height, thin }, surface, points) => {
    const side = Math.min(width, height), left = (width - side) / 2, cell = side / grid;
    surface.forEach((value, i) => {
      g.fillStyle = surfaceColour(value);
      g.fillRect(left + (i % grid) * cell, Math.floor(i / grid) * cell, cell + 0.6, cell + 0.6);
    });
    g.lineWidth = 1.5;
    g.strokeStyle = "#000000";
    for (let i = 0; i < numTrain; i++) {
      const x = left + ((points[3 * i] - xlim[0]) / (xlim[1] - xlim[0])) * side;
      const y = ((ylim[1] - points[3 * i + 1]) / (ylim[1] - ylim[0])) * side;
      const r = 4.5 * thin;
      g.fillStyle = points[3 * i + 2] ? "#5e3c99" : "#e66101";
      g.beginPath();
      if (points[3 * i + 2]) { g.moveTo(x, y - 1.3 * r); g.lineTo(x + 1.2 * r, y + r); g.lineTo(x - 1.2 * r, y + r); g.closePath(); }
      else g.arc(x, y, r, 0, 2 * Math.PI);
      g.fill();
      g.stroke();
    }
  };

  return ui.start(() => {
    const surfaces = float32(model.get("surfaces")), points = float32(model.get("points"));
    const words = history(model.get("trained"), model.get("p"));
    panels.forEach((panel, net) => {
      panel.words({ title: net ? `with dropout, ${words}` : "without dropout" });
      panel.paint((pen) => drawSurface(pen, surfaces.subarray(net * grid * grid, (net + 1) * grid * grid), points));
    });
    const curves = model.get("curves");
    const epochs = curves.map((row) => row[0]);
    plot.paint((pen) => {
      const last = Math.max(200, epochs.at(-1));
      const area = axes(pen, { xlim: [0, last], ylim: [0, 1.5], xticks: [0, last / 2, last], yticks: [0, 0.5, 1, 1.5] });
      const every = Math.ceil(epochs.length / 8);
      SERIES.forEach((series, k) => {
        // Eight marks on each curve: they tell the nets apart without colour.
        const marks = epochs.map((_, i) => i).filter((i) => i % every === (k > 1 ? 0 : every >> 1));
        area.line(epochs, curves.map((row) => row[k + 1]), series, { marks });
      });
      const next = pending(model.get("trained"), model.get("p"));
      if (next) {
        area.cursor(epochs.at(-1));
        pen.write(next, area.X(epochs.at(-1)) - 0.4 * pen.em, area.inner.y + 0.7 * pen.em, { align: "right" });
      }
    });
    const [epoch, ...losses] = curves.at(-1);
    ui.legend(SERIES.map((series, k) => ({ series, value: losses[k].toFixed(2) })));
    return {
      text: `epoch ${epoch} · with dropout: ${words} · Circles and triangles are the training points of two classes; the `
        + "background is the class that the net would answer, white where it is not sure.",
      label: `After ${epoch} epochs: without dropout loss ${losses[0].toFixed(2)} on training points, ${losses[1].toFixed(2)} on fresh ones; `
        + `with dropout, ${words}: ${losses[2].toFixed(2)} and ${losses[3].toFixed(2)}`,
    };
  });
});
