// The guess before the picture. One small part for each kind that utils/widgets/guess.py describes: a choice, a
// number, a curve drawn by hand, the names of images. A part is (spec, place, commit, tools) -> a function that
// forgets what was begun; it calls commit(value) when the learner has decided.
import { axes, grey } from "./plot.js";

export const PARTS = { choice, number, curve, answers };

function choice({ options }, place, commit, { make, button }) {
  const row = make("div", "dw-row");
  for (const option of options) button(option, () => commit(option), row);
  place.append(row);
  return () => {};
}

function number({ low, high, step, unit }, place, commit, { make, button }) {
  const form = make("form", "dw-row");
  const input = make("input", "dw-field");
  Object.assign(input, { type: "number", min: low, max: high, step, required: true });
  input.setAttribute("aria-label", `your guess, ${low} to ${high}${unit ? ` ${unit}` : ""}`);
  const decide = () => form.reportValidity() && commit(Number(input.value));
  form.addEventListener("submit", (event) => { event.preventDefault(); decide(); });
  form.append(input, make("span", "", `${unit ? `${unit}, ` : ""}${low} to ${high}`));
  place.append(form);
  button("That is my guess", decide, form);
  return () => form.reset();
}

// You draw it: drag over the axes, or use the arrow keys (left and right choose a place, up and down move it).
function curve({ x: xs, low, high, names, yticks, xlabel, ylabel }, place, commit, { panel, button, redraw, make }) {
  const board = panel({ ratio: 2, tall: 11, focus: true, place });
  board.words({ above: ylabel, below: xlabel });
  board.canvas.style.cursor = "crosshair";
  board.canvas.style.touchAction = "none";
  const row = make("div", "dw-row");
  place.append(row);
  const done = button("That is my guess", () => commit(heights.map((v) => Number(v.toFixed(3)))), row);
  button("Draw again", () => { forget(); redraw(); }, row);
  row.append(make("span", "dw-words", "Drag across the axes, or reach them with Tab and use the arrow keys."));
  let heights, last, at = 0, area;
  const ylim = [low, high], nameOf = (x) => String(names ? names[xs.indexOf(x)] : x);
  const forget = () => { heights = xs.map(() => null); last = null; done.disabled = true; };
  const put = (k, value) => {
    heights[k] = Math.min(high, Math.max(low, value));
    done.disabled = heights.includes(null);
  };
  board.draws = (pen) => {
    const { g, look } = pen;
    area = axes(pen, { xlim: [xs[0], xs.at(-1)], ylim, xticks: xs, yticks, ...(names && { xformat: nameOf }) });
    const known = xs.map((_, k) => k).filter((k) => heights[k] !== null);
    area.line(known.map((k) => xs[k]), known.map((k) => heights[k]), "guess", { marks: true });
    g.strokeStyle = look.faint;
    g.setLineDash([4, 4]);
    for (let k = 0; k < xs.length; k++)
      if (heights[k] === null) pen.segment(area.X(xs[k]), area.inner.y, area.X(xs[k]), area.inner.y + area.inner.height);
    g.setLineDash([]);
    if (document.activeElement === board.canvas) {
      g.strokeStyle = look.ink;
      g.lineWidth = 2;
      const y = area.Y(heights[at] ?? (low + high) / 2);
      g.strokeRect(area.X(xs[at]) - 8, y - 8, 16, 16);
    }
    board.label(`Axes to draw your guess on, ${ylabel} against ${xlabel}. ${known.length} of ${xs.length} points are drawn. `
      + `Point ${at + 1}, ${xlabel} ${nameOf(xs[at])}: ${heights[at] === null ? "not drawn" : heights[at].toFixed(2)}.`);
  };
  const drag = (event) => {
    const point = board.point(event);
    const { inner } = area;
    const here = { x: xs[0] + ((point.x - inner.x) / inner.width) * (xs.at(-1) - xs[0]),
      y: low + ((inner.y + inner.height - point.y) / inner.height) * (high - low) };
    // Everything that was passed since the last event gets the height of the stroke there; the nearest place too.
    const from = last ?? here;
    const nearest = xs.reduce((best, x, k) => (Math.abs(x - here.x) < Math.abs(xs[best] - here.x) ? k : best), 0);
    xs.forEach((x, k) => {
      if ((x - from.x) * (x - here.x) < 0) put(k, from.y + ((x - from.x) / (here.x - from.x)) * (here.y - from.y));
    });
    put(nearest, here.y);
    last = here;
    redraw();
  };
  board.canvas.addEventListener("pointerdown", (event) => { board.canvas.setPointerCapture(event.pointerId); last = null; drag(event); });
  board.canvas.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
  board.canvas.addEventListener("keydown", (event) => {
    const [side, rise] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!side && !rise) return;
    event.preventDefault();
    at = Math.min(xs.length - 1, Math.max(0, at + side));
    if (rise) put(at, (heights[at] ?? (low + high) / 2) + (rise * (high - low)) / 40);
    redraw();
  });
  for (const name of ["focus", "blur"]) board.canvas.addEventListener(name, redraw);
  forget();
  return forget;
}

// Image by image: a class and how sure. Nothing is preset, so that the learner has to commit to both.
function answers({ options, count, low, high }, place, commit, { model, panel, button, redraw, make }) {
  const { buffer, byteOffset, byteLength } = model.get("images");
  const pixels = new Uint8Array(buffer, byteOffset, byteLength), each = pixels.length / count;
  const sure = [...Array.from({ length: Math.round((0.95 - low) / 0.05) + 1 }, (_, k) => Number((low + 0.05 * k).toFixed(2))), high];
  const progress = make("p", "dw-title");
  progress.setAttribute("aria-live", "polite");
  const board = panel({ tall: 10, fixed: true, place });
  place.prepend(progress);
  const row = make("div", "dw-row"), scale = make("label", "dw-slider"), input = make("input"), readout = make("output", "dw-readout");
  place.append(row, scale);
  const names = options.map((option) => button(option, () => { given[at][0] = option; show(); }, row));
  Object.assign(input, { type: "range", min: 0, max: sure.length - 1, step: 1 });
  input.setAttribute("aria-label", "how sure you are");
  const take = () => { given[at][1] = sure[Number(input.value)]; show(); };
  for (const name of ["input", "pointerup"]) input.addEventListener(name, take);
  scale.append(make("span", "", "how sure?"), input, readout);
  const steps = make("div", "dw-row");
  place.append(steps);
  const back = button("Back", () => { at -= 1; show(); }, steps);
  const next = button("Next image", () => {
    if (at < count - 1) { at += 1; show(); names[0].focus({ preventScroll: true }); } else commit(given);
  }, steps);
  let given, at;
  const show = () => {
    const [name, confidence] = given[at];
    progress.textContent = `Image ${at + 1} of ${count}: what is it, and how sure are you?`;
    options.forEach((option, k) => names[k].setAttribute("aria-pressed", String(option === name)));
    input.value = confidence === null ? 0 : sure.indexOf(confidence);
    readout.textContent = confidence === null ? "?" : `${Math.round(100 * confidence)} %`;
    input.setAttribute("aria-valuetext", confidence === null ? "not said" : readout.textContent);
    back.disabled = at === 0;
    next.disabled = name === null || confidence === null;
    next.textContent = at < count - 1 ? "Next image" : "That is my guess";
    redraw();
  };
  board.draws = (pen) => {
    const side = Math.min(pen.width, pen.height) - 2;
    grey(pen, pixels.subarray(each * at, each * (at + 1)), 1, 1, side);
    pen.g.setLineDash([]);
    pen.g.lineWidth = 1.5;
    pen.g.strokeStyle = pen.look.ink;
    pen.g.strokeRect(1, 1, side, side);
    board.label(`Image ${at + 1} of ${count}`);
  };
  const forget = () => { given = Array.from({ length: count }, () => [null, null]); at = 0; show(); };
  forget();
  return forget;
}

// What the learner said, and what is so, in one line.
export function together({ kind, unit }, guess, truth, because) {
  const say = (value) => (kind === "number" ? `${value}${unit ? ` ${unit}` : ""}` : `“${value}”`);
  const parts = [];
  if (kind === "curve") {
    if (guess !== null) parts.push("Your curve is the one with diamonds.");
  } else if (kind !== "answers") {
    if (guess !== null) parts.push(`Your guess: ${say(guess)}.`);
    if (truth !== null) parts.push(`Here: ${say(truth)}.`);
  }
  return [...parts, because].filter(Boolean).join(" ");
}
