import { float32 } from "./core.js";
import { frame, mark, plot } from "./ui.js";

const PANEL = 270, GAP = 20, HEAD = 30;

// "rgb(...)" between orange (0), white (.5) and purple (1): PuOr, safe for colour-blind readers.
function surfaceColour(v) {
  const ends = v < 0.5 ? [230, 97, 1] : [94, 60, 153];
  const t = Math.abs(v - 0.5) * 1.6;
  return `rgb(${ends.map((c) => Math.round(247 + (c - 247) * t)).join(",")})`;
}

function render({ model, el }) {
  const { grid, x: xlim, y: ylim, num_train: numTrain } = model.get("layout_numbers");

  const panel = (g, colours, surface, left, title) => {
    g.fillStyle = colours.ink;
    g.textAlign = "left";
    g.fillText(title, left, 18);
    const cell = PANEL / grid;
    for (let i = 0; i < surface.length; i++) {
      g.fillStyle = surfaceColour(surface[i]);
      g.fillRect(left + (i % grid) * cell, HEAD + Math.floor(i / grid) * cell, cell + 0.6, cell + 0.6);
    }
    const points = float32(model.get("points"));
    g.lineWidth = 1.5;
    g.strokeStyle = "#000000";
    for (let i = 0; i < numTrain; i++) {
      const x = left + ((points[3 * i] - xlim[0]) / (xlim[1] - xlim[0])) * PANEL;
      const y = HEAD + ((ylim[1] - points[3 * i + 1]) / (ylim[1] - ylim[0])) * PANEL;
      g.fillStyle = points[3 * i + 2] ? "#5e3c99" : "#e66101";
      g.beginPath();
      if (points[3 * i + 2]) { g.moveTo(x, y - 6); g.lineTo(x + 5.5, y + 4); g.lineTo(x - 5.5, y + 4); g.closePath(); }
      else g.arc(x, y, 4.5, 0, 2 * Math.PI);
      g.fill();
      g.stroke();
    }
  };

  const draw = (g, colours, { width }) => {
    const surfaces = float32(model.get("surfaces"));
    const p = model.get("p").toFixed(2);
    panel(g, colours, surfaces.subarray(0, grid * grid), 0, "without dropout");
    panel(g, colours, surfaces.subarray(grid * grid), PANEL + GAP, `with dropout, p = ${p}`);
    const curves = model.get("curves");
    const epochs = curves.map((row) => row[0]);
    const last = Math.max(200, epochs.at(-1));
    const left = 2 * (PANEL + GAP) + 50;
    const area = plot(g, colours, { x: left, y: HEAD, width: width - left - 20, height: PANEL - 20 }, {
      xlim: [0, last], ylim: [0, 1.5], xticks: [0, last / 2, last], yticks: [0, 0.5, 1, 1.5],
      xlabel: "epoch", ylabel: "loss (eval mode)", format: (v) => (v > 2 ? v.toFixed(0) : String(v)),
    });
    const column = (k) => curves.map((row) => Math.min(1.5, row[k]));
    const nets = [["without dropout", colours.ink, "square"], [`with p = ${p}`, colours.first, "circle"]];
    nets.forEach(([name, colour, shape], net) => {
      area.line(epochs, column(2 * net + 1), colour, { dash: [3, 4] });
      area.line(epochs, column(2 * net + 2), colour);
      for (const k of [1, 2]) {
        // Eight marks on each curve: they tell the nets apart without colour.
        const every = Math.ceil(epochs.length / 8);
        for (let i = every - 1 - 3 * net; i < epochs.length; i += every)
          if (i >= 0) mark(g, shape, area.X(epochs[i]), area.Y(column(2 * net + k)[i]));
      }
      const x = left + 160 * net;
      g.strokeStyle = colour;
      g.beginPath(); g.moveTo(x - 34, HEAD + PANEL + 41); g.lineTo(x - 6, HEAD + PANEL + 41); g.stroke();
      mark(g, shape, x - 20, HEAD + PANEL + 41);
      g.fillStyle = colours.ink;
      g.textAlign = "left";
      g.fillText(name, x + 2, HEAD + PANEL + 46);
    });
    g.fillText("solid: fresh points, dotted: training points", left - 34, HEAD + PANEL + 68);
    g.fillText("Circles and triangles: the training points of two classes.", 0, HEAD + PANEL + 26);
    g.fillText("Background: the class that the net would answer; white: it is not sure.", 0, HEAD + PANEL + 48);
    const [epoch, train0, fresh0, train1, fresh1] = curves.at(-1);
    return {
      text: `epoch ${epoch} · without dropout: training ${train0.toFixed(2)}, fresh ${fresh0.toFixed(2)}`
        + ` · with p = ${p}: training ${train1.toFixed(2)}, fresh ${fresh1.toFixed(2)}`,
    };
  };

  const ui = frame(model, el, { width: 1000, height: HEAD + PANEL + 76, draw });
  ui.slider("p", "drop probability p", { min: 0, max: 0.9, step: 0.05 });
  const play = ui.button("Play", () => ui.set({ playing: !model.get("playing") }));
  const showPlay = () => (play.textContent = model.get("playing") ? "Stop" : "Play");
  ui.on("change:playing", showPlay);
  showPlay();
  ui.button("Step", () => ui.set({ step: model.get("step") + 1 }));
  ui.button("New points", () => ui.set({ seed: model.get("seed") + 1 }));
  ui.button("Start again", () => ui.set({ restart: model.get("restart") + 1 }));
  ui.on("change:surfaces", ui.redraw);
  return ui.finish();
}

export default { render };
