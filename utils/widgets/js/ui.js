// What every view shows around its canvas: question, controls, picture, numbers, Reset, a Python line.
import { nearestIndex, pythonLine } from "./core.js";

// Colours from JupyterLab's theme, so that light and dark both read well. Kept and dropped also differ
// in shape. The fallbacks serve pages without a theme.
export function palette(el) {
  const style = getComputedStyle(el);
  const get = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
  const paper = get("--jp-layout-color0", "#ffffff");
  const dark = luminance(paper) < 0.5;
  return {
    paper,
    ink: get("--jp-content-font-color0", dark ? "#f5f5f5" : "#1a1a1a"),
    faint: dark ? "#6f6f6f" : "#b0b0b0",
    first: dark ? "#6cb6ff" : "#0072b2",
    second: dark ? "#ff9e5e" : "#d55e00",
    third: dark ? "#4fd0a5" : "#009e73",
    fourth: dark ? "#e6a3c8" : "#b0518c",
  };
}

// Relative luminance in [0, 1] of a CSS colour, as the browser understands it. Asking it is slow: once a colour.
const luminances = new Map();

function luminance(colour) {
  if (!luminances.has(colour)) luminances.set(colour, measuredLuminance(colour));
  return luminances.get(colour);
}

function measuredLuminance(colour) {
  const c = document.createElement("canvas").getContext("2d");
  c.fillStyle = colour;
  c.fillRect(0, 0, 1, 1);
  const [r, g, b] = c.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// What a view says where it would ask Python and there is none (model.withoutKernel, in static.js).
export const NEEDS_KERNEL = "This needs a running kernel: open the notebook in JupyterLab and run its cell.";

// Build the frame. Options:
//   width, height   size of the picture in CSS pixels
//   draw(g, colours, size)   paints the canvas; returns {text, label}: numbers below, words for a reader
// Every trait named in model.get("state_keys") triggers a redraw, at most one per animation frame.
export function frame(model, el, { width, height, draw }) {
  const cleanups = [];
  const on = (event, handler) => {
    model.on(event, handler);
    cleanups.push(() => model.off(event, handler));
  };
  const root = make("div", "dw");
  const question = make("p", "dw-question", model.get("question"));
  const controls = make("div", "dw-controls");
  const canvas = make("canvas", "dw-canvas");
  const ratio = Math.max(1, window.devicePixelRatio || 1);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.maxWidth = "100%";
  canvas.setAttribute("role", "img");
  const numbers = make("output", "dw-numbers");
  const error = make("p", "dw-error");
  error.setAttribute("role", "alert");
  const code = make("code", "dw-code");
  const head = make("div", "dw-head");
  head.append(question);
  root.append(head, controls, canvas, numbers, error, code);
  el.append(root);

  const state = () => Object.fromEntries(model.get("state_keys").map((key) => [key, model.get(key)]));
  const first = state();
  let waiting = 0;
  const paint = () => {
    waiting = 0;
    const g = canvas.getContext("2d");
    const colours = palette(root);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = colours.paper;
    g.fillRect(0, 0, width, height);
    g.font = "16px sans-serif";
    g.textBaseline = "alphabetic";
    g.textAlign = "left";
    const said = draw(g, colours, { width, height });
    numbers.textContent = said.text;
    canvas.setAttribute("aria-label", said.label || said.text);
    code.textContent = pythonLine(model.get("python_name"), state());
  };
  const redraw = () => {
    waiting ||= requestAnimationFrame(paint);
  };
  for (const key of model.get("state_keys")) on(`change:${key}`, redraw);
  on("change:error", () => (error.textContent = model.get("error")));

  // The theme can change while the widget is on the page.
  const themes = new MutationObserver(redraw);
  for (const node of [document.body, document.documentElement])
    themes.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  cleanups.push(() => themes.disconnect(), () => cancelAnimationFrame(waiting));

  const set = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };

  // A labelled slider bound to a trait. Arrow keys move it by one step, or to the next of `values` (ascending).
  const slider = (key, label, { min, max, step, values, digits = 2 }) => {
    if (values) [min, max, step] = [0, values.length - 1, 1];
    const valueAt = (position) => (values ? values[position] : position);
    const toPosition = (value) => (values ? nearestIndex(values, value) : value);
    const box = make("label", "dw-slider");
    const input = make("input");
    Object.assign(input, { type: "range", min, max, step });
    input.setAttribute("aria-label", label);
    input.setAttribute("data-lm-suppress-shortcuts", "true"); // else JupyterLab takes the arrow keys
    input.dataset.key = key;
    const readout = make("output", "dw-readout");
    const show = () => {
      input.value = toPosition(Number(model.get(key)));
      const value = valueAt(toPosition(Number(model.get(key))));
      readout.textContent = value.toFixed(digits);
      input.setAttribute("aria-valuetext", `${label} ${value.toFixed(digits)}`);
    };
    input.addEventListener("input", () => set({ [key]: valueAt(Number(input.value)) }));
    on(`change:${key}`, show);
    show();
    box.append(make("span", "", label), input, readout);
    controls.append(box);
    return input;
  };

  // A labelled choice bound to a trait: options is a list of [value, words].
  const choice = (key, label, options) => {
    const box = make("label", "dw-choice");
    const select = make("select");
    select.setAttribute("aria-label", label);
    select.setAttribute("data-lm-suppress-shortcuts", "true"); // as for the sliders
    select.dataset.key = key;
    let offered = [];
    const show = () => (select.value = String(model.get(key)));
    // Replace what is offered; a view calls this when the choices depend on another trait.
    select.fill = (list) => {
      offered = list;
      select.replaceChildren(...list.map(([value, words]) => new Option(words, value)));
      show();
    };
    select.fill(options);
    select.addEventListener("change", () => {
      const [value] = offered.find(([v]) => String(v) === select.value);
      set({ [key]: value });
    });
    on(`change:${key}`, show);
    show();
    box.append(make("span", "", label), select);
    controls.append(box);
    return select;
  };

  const button = (label, action, place = controls) => {
    const node = make("button", "dw-button jp-Button", label);
    node.type = "button";
    node.addEventListener("click", action);
    place.append(node);
    return node;
  };

  return {
    root, canvas, controls, on, set, slider, choice, button, redraw,
    // Call once, after the controls: adds Reset beside the question, paints, and returns the clean-up function.
    finish() {
      button("Reset", () => set(first), head);
      paint();
      return () => cleanups.forEach((clean) => clean());
    },
  };
}

// A plot with axes, in the rectangle {x, y, width, height}. Returns functions that draw in data units.
// Options: xlim, ylim ([low, high]), xticks, yticks (numbers), xlabel, ylabel, format (tick -> text).
export function plot(g, colours, box, { xlim, ylim, xticks, yticks, xlabel, ylabel, format = String }) {
  const X = (v) => box.x + ((v - xlim[0]) / (xlim[1] - xlim[0])) * box.width;
  const Y = (v) => box.y + box.height - ((v - ylim[0]) / (ylim[1] - ylim[0])) * box.height;
  g.strokeStyle = colours.faint;
  g.fillStyle = colours.ink;
  g.lineWidth = 1;
  g.textAlign = "center";
  for (const v of xticks) {
    g.beginPath(); g.moveTo(X(v), box.y); g.lineTo(X(v), box.y + box.height); g.stroke();
    g.fillText(format(v), X(v), box.y + box.height + 20);
  }
  g.textAlign = "right";
  for (const v of yticks) {
    g.beginPath(); g.moveTo(box.x, Y(v)); g.lineTo(box.x + box.width, Y(v)); g.stroke();
    g.fillText(format(v), box.x - 8, Y(v) + 5);
  }
  g.textAlign = "center";
  g.fillText(xlabel, box.x + box.width / 2, box.y + box.height + 44);
  g.textAlign = "left";
  g.fillText(ylabel, box.x, box.y - 10);

  return {
    X, Y,
    // A line through (xs[i], ys[i]); dash is a canvas dash pattern; dots marks the points with a shape.
    line(xs, ys, colour, { dash = [], dots = "", lineWidth = 2.5 } = {}) {
      g.strokeStyle = g.fillStyle = colour;
      g.lineWidth = lineWidth;
      g.setLineDash(dash);
      g.beginPath();
      xs.forEach((x, i) => (i ? g.lineTo(X(x), Y(ys[i])) : g.moveTo(X(x), Y(ys[i]))));
      g.stroke();
      g.setLineDash([]);
      if (dots) xs.forEach((x, i) => mark(g, dots, X(x), Y(ys[i])));
    },
    // A band between two lines.
    band(xs, low, high, colour) {
      g.fillStyle = colour;
      g.globalAlpha = 0.2;
      g.beginPath();
      xs.forEach((x, i) => (i ? g.lineTo(X(x), Y(high[i])) : g.moveTo(X(x), Y(high[i]))));
      for (let i = xs.length - 1; i >= 0; i--) g.lineTo(X(xs[i]), Y(low[i]));
      g.fill();
      g.globalAlpha = 1;
    },
  };
}

// A filled marker of about 8 pixels: "circle", "square" or "triangle".
export function mark(g, shape, x, y) {
  g.beginPath();
  if (shape === "circle") g.arc(x, y, 4.5, 0, 2 * Math.PI);
  else if (shape === "square") g.rect(x - 4, y - 4, 8, 8);
  else { g.moveTo(x, y - 5.5); g.lineTo(x + 5, y + 4); g.lineTo(x - 5, y + 4); g.closePath(); }
  g.fill();
}
