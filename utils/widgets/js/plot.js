// Drawing on a canvas whose size is not known beforehand: a pen that keeps text inside, marks, lines and axes.
// Styles come from utils/series.json, which utils/plotting.py reads too, so that a poster and the live picture agree.
import series from "../../series.json" with { type: "json" };

export const COLOURS = series.colours;

// {name, colour, dash (in line widths, null: no line), marker} of one series.
export function style(name) {
  if (!(name in series.series)) throw new Error(`utils/series.json has no series ${name}`);
  return series.series[name];
}

const widths = new Map(); // of words in a font: ticks are measured again and again

// What a panel's painter receives: the context g, the size in CSS pixels, em (the type's size), look (colours).
export function makePen(g, look, { width, height, em }) {
  const font = (bold) => `${bold ? "bold " : ""}${em}px ${look.family}`;
  const pen = {
    g, look, width, height, em,
    thin: em / 16,
    measure(words, bold = false) {
      const key = font(bold) + words;
      if (!widths.has(key)) {
        if (widths.size > 2000) widths.clear(); // numbers that move are ever new words
        g.font = font(bold);
        widths.set(key, g.measureText(words).width);
        g.font = font(false);
      }
      return widths.get(key);
    },
    // Words with their middle at height y, from, around or up to x; moved as far as needed to stay on the canvas.
    write(words, x, y, { align = "left", bold = false, colour = look.ink } = {}) {
      const wide = pen.measure(words, bold);
      const left = x - (align === "center" ? wide / 2 : align === "right" ? wide : 0);
      if (bold) g.font = font(true);
      g.fillStyle = colour;
      g.textAlign = "left";
      g.textBaseline = "middle";
      const at = Math.max(1, Math.min(width - wide - 1, left));
      g.fillText(words, at, Math.max(0.6 * em, Math.min(height - 0.6 * em, y)));
      if (bold) g.font = font(false);
      return at + wide;
    },
    // The style of a series, or of a colour with a dash, set on the context.
    ink(name, lineWidth = 2.5) {
      const { colour, dash } = style(name);
      g.strokeStyle = g.fillStyle = look[colour];
      g.lineWidth = lineWidth * pen.thin;
      g.setLineDash((dash ?? []).map((part) => part * g.lineWidth));
    },
    segment(x0, y0, x1, y1) {
      g.beginPath();
      g.moveTo(x0, y0);
      g.lineTo(x1, y1);
      g.stroke();
    },
    mark(shape, x, y, size = 1) {
      mark(g, shape, x, y, 4.5 * pen.thin * size);
    },
    // Hundreds of small dots: squares at whole pixels of the screen, which cost a third of round ones.
    dots(xs, ys, size = 1) {
      const { a: scale } = g.getTransform(), side = Math.max(2, Math.round(8 * pen.thin * size * scale));
      const place = (v) => Math.round(v * scale - side / 2) / scale;
      for (let i = 0; i < xs.length; i++) g.fillRect(place(xs[i]), place(ys[i]), side / scale, side / scale);
    },
  };
  g.font = font(false); // setting it costs more than writing a word
  return pen;
}

// A marker of radius r in the present colours: "circle", "square", "triangle", "diamond", "cross", "open square".
export function mark(g, shape, x, y, r) {
  g.beginPath();
  if (shape === "circle") g.arc(x, y, r, 0, 2 * Math.PI);
  else if (shape === "square" || shape === "open square") g.rect(x - r, y - r, 2 * r, 2 * r);
  else if (shape === "triangle") { g.moveTo(x, y - 1.2 * r); g.lineTo(x + 1.1 * r, y + r); g.lineTo(x - 1.1 * r, y + r); g.closePath(); }
  else if (shape === "diamond") { g.moveTo(x, y - 1.3 * r); g.lineTo(x + 1.1 * r, y); g.lineTo(x, y + 1.3 * r); g.lineTo(x - 1.1 * r, y); g.closePath(); }
  else { g.moveTo(x - r, y - r); g.lineTo(x + r, y + r); g.moveTo(x + r, y - r); g.lineTo(x - r, y + r); }
  if (shape === "cross" || shape === "open square") {
    g.setLineDash([]);
    g.lineWidth = Math.max(1.5, r / 2);
    g.stroke();
  } else g.fill();
}

// A square image of bytes, 255 is black ink on white, at (x, y), `side` CSS pixels wide.
export function grey({ g }, bytes, x, y, side) {
  const stamp = document.createElement("canvas"), cells = Math.sqrt(bytes.length);
  stamp.width = stamp.height = cells;
  const ink = stamp.getContext("2d").createImageData(cells, cells);
  bytes.forEach((value, i) => ink.data.set([255 - value, 255 - value, 255 - value, 255], 4 * i));
  stamp.getContext("2d").putImageData(ink, 0, 0);
  g.imageSmoothingEnabled = false;
  g.drawImage(stamp, x, y, side, side);
}

const plain = (v) => String(Number(v.toFixed(6)));

// The smallest of 1, 2, 5, 10, 20, ... that is at least the value: the end of an axis.
export function niceEnd(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((k) => k * power).find((end) => end >= value);
}

// Axes in `box` (default: the whole canvas), with ticks that fit. Axis labels are HTML: see panel.words in ui.js.
// Returns functions that draw in data units, inside the axes only.
export function axes(pen, { xlim, ylim, xticks, yticks, xformat = plain, yformat = plain, box }) {
  const { g, look, em } = pen;
  const whole = box ?? { x: 0, y: 0, width: pen.width, height: pen.height };
  const left = yticks.length ? Math.max(...yticks.map((v) => pen.measure(yformat(v)))) + 0.5 * em : 2;
  const below = xticks.length ? 1.6 * em : 2;
  const inner = { x: whole.x + left, y: whole.y + 0.6 * em };
  inner.width = Math.max(1, whole.x + whole.width - inner.x - 0.6 * em);
  inner.height = Math.max(1, whole.y + whole.height - inner.y - below);
  const X = (v) => inner.x + ((v - xlim[0]) / (xlim[1] - xlim[0])) * inner.width;
  const Y = (v) => inner.y + inner.height - ((v - ylim[0]) / (ylim[1] - ylim[0])) * inner.height;

  g.setLineDash([]);
  g.lineWidth = 1;
  g.strokeStyle = look.faint;
  for (const v of xticks) pen.segment(X(v), inner.y, X(v), inner.y + inner.height);
  for (const v of yticks) pen.segment(inner.x, Y(v), inner.x + inner.width, Y(v));
  // Labels that would touch the one before are left out.
  let free = -Infinity;
  for (const v of [...xticks].sort((a, b) => a - b)) {
    const wide = pen.measure(xformat(v));
    const start = Math.max(1, Math.min(pen.width - wide - 1, X(v) - wide / 2));
    if (start < free) continue;
    free = pen.write(xformat(v), X(v), inner.y + inner.height + 0.95 * em, { align: "center" }) + 0.6 * em;
  }
  free = Infinity;
  for (const v of [...yticks].sort((a, b) => a - b)) {
    const y = Math.max(0.6 * em, Math.min(pen.height - 0.6 * em, Y(v)));
    if (y + 0.6 * em > free) continue;
    pen.write(yformat(v), inner.x - 0.5 * em, y, { align: "right" });
    free = y - 0.6 * em;
  }

  const inside = (paint) => {
    g.save();
    g.beginPath();
    g.rect(inner.x - 1, inner.y - 1, inner.width + 2, inner.height + 2);
    g.clip();
    paint();
    g.restore();
  };
  const path = (xs, ys) => xs.forEach((x, i) => (i ? g.lineTo(X(x), Y(ys[i])) : g.moveTo(X(x), Y(ys[i]))));
  return {
    X, Y, inner, inside,
    // A line in the style of a series; marks: its marker at every point (true) or at these indices.
    line(xs, ys, name, { marks = false, width = 2.5 } = {}) {
      inside(() => {
        pen.ink(name, width);
        g.beginPath();
        path(xs, ys);
        g.stroke();
      });
      const at = marks === true ? xs.map((_, i) => i) : marks || [];
      pen.ink(name);
      g.setLineDash([]);
      for (const i of at) if (ys[i] >= ylim[0] && ys[i] <= ylim[1]) pen.mark(style(name).marker, X(xs[i]), Y(ys[i]));
    },
    // A band between two lines.
    band(xs, low, high, name) {
      inside(() => {
        g.fillStyle = look[style(name).colour];
        g.globalAlpha = 0.2;
        g.beginPath();
        path(xs, high);
        for (let i = xs.length - 1; i >= 0; i--) g.lineTo(X(xs[i]), Y(low[i]));
        g.fill();
      });
    },
    // Bars of equal width over [from, to], from the axis or, where it has negative heights too, from 0.
    bars(heights, from, to, name, alpha = 1) {
      inside(() => {
        g.fillStyle = look[style(name).colour];
        g.globalAlpha = alpha;
        const step = (to - from) / heights.length, base = Y(Math.max(0, ylim[0]));
        heights.forEach((height, k) => {
          const x = X(from + k * step);
          g.fillRect(x + 0.5, Math.min(Y(height), base), Math.max(0.5, X(from + (k + 1) * step) - x - 1), Math.abs(base - Y(height)));
        });
      });
    },
    // A vertical line over the whole height, with a marker near its top (`row` steps down).
    rule(x, name, { width = 2.5, row = 0 } = {}) {
      pen.ink(name, width);
      pen.segment(X(x), inner.y, X(x), inner.y + inner.height);
      g.setLineDash([]);
      if (style(name).marker) pen.mark(style(name).marker, X(x), inner.y + (0.6 + 0.9 * row) * em);
    },
    // Where the reader is: a plain vertical line.
    cursor(x) {
      g.strokeStyle = look.ink;
      g.lineWidth = 2 * pen.thin;
      g.setLineDash([]);
      pen.segment(X(x), inner.y, X(x), inner.y + inner.height);
    },
  };
}

// A small picture of a series for a legend, as SVG in the colours that the frame sets on its root.
export function swatch(name) {
  const { colour, dash, marker } = style(name);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const add = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.append(node);
  };
  const ink = `var(--dw-${colour})`;
  const wide = dash ? 40 : 16;
  svg.setAttribute("viewBox", `0 0 ${wide} 16`);
  svg.setAttribute("class", "dw-swatch");
  svg.setAttribute("aria-hidden", "true");
  svg.style.width = `${wide / 16}em`;
  if (dash) add("line", { x1: 0, y1: 8, x2: 40, y2: 8, stroke: ink, "stroke-width": 3, "stroke-dasharray": dash.map((d) => 3 * d).join(" ") });
  const x = wide / 2;
  const shapes = {
    circle: ["circle", { cx: x, cy: 8, r: 5 }],
    square: ["rect", { x: x - 5, y: 3, width: 10, height: 10 }],
    triangle: ["path", { d: `M${x} 2l6 11h-12z` }],
    diamond: ["path", { d: `M${x} 1.5l5.5 6.5l-5.5 6.5l-5.5 -6.5z` }],
  };
  const outlines = {
    cross: ["path", { d: `M${x - 5} 3l10 10M${x + 5} 3l-10 10` }],
    "open square": ["rect", { x: x - 5, y: 3, width: 10, height: 10 }],
  };
  if (marker in shapes) add(shapes[marker][0], { ...shapes[marker][1], fill: ink });
  if (marker in outlines) add(outlines[marker][0], { ...outlines[marker][1], fill: "none", stroke: ink, "stroke-width": 3 });
  return svg;
}
