// Runs in a page before its own script: notes where words are written on canvases, paints at once, and says what is
// wrong with the words of a widget. tests/test_widget_layout.py uses it.
const nextFrame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (paint) => { queueMicrotask(paint); return 1; };
const { fillText, strokeText, clearRect } = CanvasRenderingContext2D.prototype;
Object.assign(CanvasRenderingContext2D.prototype, {
  clearRect(...box) { this.canvas.words = []; clearRect.apply(this, box); },
  fillText(words, x, y, ...rest) { note(this, words, x, y); fillText.call(this, words, x, y, ...rest); },
  strokeText(words, x, y, ...rest) { note(this, words, x, y); strokeText.call(this, words, x, y, ...rest); },
});
function note(g, words, x, y) {
  const { font, textAlign, textBaseline } = g;
  (g.canvas.words ??= []).push({ g, words, x, y, font, textAlign, textBaseline, at: g.getTransform() });
}
// Where a word is in its canvas, in CSS pixels, and the size of its type.
function placed({ g, words, x, y, at, ...type }) {
  g.save();
  Object.assign(g, type);
  const m = g.measureText(words);
  g.restore();
  const corner = (dx, dy) => at.transformPoint(new DOMPoint(x + dx, y + dy));
  const [a, b] = [corner(-m.actualBoundingBoxLeft, -m.actualBoundingBoxAscent),
    corner(m.actualBoundingBoxRight, m.actualBoundingBoxDescent)];
  const shrink = (g.canvas.clientWidth || 1) / g.canvas.width;
  return { words, left: a.x * shrink, top: a.y * shrink, right: b.x * shrink, bottom: b.y * shrink,
    size: parseFloat(/([\d.]+)px/.exec(type.font)[1]) * at.a * shrink };
}
// One for all: a page tells each of its ranges of every change.
const range = document.createRange();
// What is wrong with the words of one widget as it stands.
function problems(root, least) {
  const found = [], boxes = [];
  const edge = root.getBoundingClientRect();
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.data.trim() || node.parentElement.closest(".dw-spoken, option, script")) continue;
    range.selectNodeContents(node);
    for (const r of range.getClientRects()) {
      if (r.width < 1) continue;
      const box = { words: node.data.slice(0, 40), node, left: r.left, top: r.top, right: r.right, bottom: r.bottom,
        size: parseFloat(getComputedStyle(node.parentElement).fontSize) };
      if (box.left < edge.left - 1 || box.right > edge.right + 1) found.push(`"${box.words}" leaves the widget`);
      boxes.push(box);
    }
  }
  for (const control of root.querySelectorAll("select, input:not([type=range]), button")) {
    const r = control.getBoundingClientRect();
    if (r.width && (r.left < edge.left - 1 || r.right > edge.right + 1)) found.push(`a ${control.tagName} leaves the widget`);
    if (r.width && parseFloat(getComputedStyle(control).fontSize) < least - 0.01) found.push(`a ${control.tagName} is too small`);
  }
  for (const canvas of root.querySelectorAll("canvas")) {
    const r = canvas.getBoundingClientRect();
    if (!r.width) continue;
    for (const word of (canvas.words ?? []).map(placed)) {
      if (word.left < -0.5 || word.top < -0.5 || word.right > r.width + 0.5 || word.bottom > r.height + 0.5)
        found.push(`"${word.words}" leaves its canvas`);
      boxes.push({ ...word, left: word.left + r.left, right: word.right + r.left, top: word.top + r.top, bottom: word.bottom + r.top });
    }
  }
  for (const [i, a] of boxes.entries()) {
    if (a.size < least - 0.01) found.push(`"${a.words}" is ${a.size.toFixed(1)} px`);
    for (const b of boxes.slice(i + 1))
      if ((!a.node || a.node !== b.node) && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
        found.push(`"${a.words}" overlaps "${b.words}"`);
  }
  if (root.scrollWidth > root.clientWidth + 1) found.push("the widget is wider than its place");
  return [...new Set(found)];
}
// Wait until every canvas on show was painted in its present size.
async function settled(root) {
  await Promise.resolve();
  const wrong = () => [...root.querySelectorAll("canvas")].some((c) =>
    c.clientWidth && Math.abs(c.width - c.clientWidth * devicePixelRatio) > 1);
  for (let k = 0; wrong() && k < 20; k++) await new Promise((done) => nextFrame(() => setTimeout(done)));
}
// The problems of one widget in all its choices: every option of every select, with all sliders low, as they
// were, and high. `all` false: with the sliders as they were.
async function inAllChoices({ el, model }, least, all) {
  const root = el.querySelector(".dw");
  const found = new Set();
  const look = async (state) => {
    await settled(root);
    for (const problem of problems(root, least)) found.add(`${problem} (${state})`);
  };
  press(root, "Reset");
  await look("covered");
  press(root, "Just show me");
  const sliders = [...root.querySelectorAll("input[type=range]")];
  const first = sliders.map((slider) => slider.value);
  const positions = all ? [first, sliders.map((s) => s.min), sliders.map((s) => s.max)] : [first];
  const move = (values) => sliders.forEach((slider, i) => {
    if (slider.value === values[i]) return;
    slider.value = values[i];
    slider.dispatchEvent(new Event("input"));
  });
  for (const values of positions) {
    move(values);
    await look("opening");
    for (const select of root.querySelectorAll("select")) {
      const before = select.value;
      for (const option of [...select.options].map((o) => o.value)) {
        if (option === before) continue;
        select.value = option;
        select.dispatchEvent(new Event("change"));
        await look(`${select.dataset.key} ${option}, sliders ${sliders.map((s) => s.value)}`);
      }
      select.value = before;
      select.dispatchEvent(new Event("change"));
    }
  }
  press(root, "Reset");
  return [...found];
}
const frames = async (n) => { for (let k = 0; k < n; k++) await new Promise((done) => nextFrame(() => setTimeout(done))); };
const press = (root, words) => [...root.querySelectorAll("button")].find((b) => b.textContent === words).click();
// {name: problems} of all widgets on the page, in all choices.
async function everywhere(least, all) {
  const found = {};
  for (const widget of dropoutCourse.alive) {
    const problems = await inAllChoices(widget, least, all);
    if (problems.length) found[widget.name] = problems;
  }
  return found;
}
// The problems of all widgets, each on a full screen, and what does not fit on it.
async function onFullScreen(least, covered) {
  const found = [];
  for (const { el, name } of dropoutCourse.alive) {
    const root = el.querySelector(".dw");
    press(root, "Reset");
    if (!covered) press(root, "Just show me");
    press(root, "Fill screen");
    await frames(5);
    await settled(root);
    const box = root.getBoundingClientRect();
    if (box.width !== innerWidth || box.height !== innerHeight) found.push(`${name}: ${box.width} x ${box.height}`);
    if (root.scrollHeight > root.clientHeight) found.push(`${name}: ${root.scrollHeight} pixels on ${root.clientHeight}`);
    found.push(...problems(root, least).map((problem) => `${name}: ${problem}`));
    press(root, "Leave full screen");
    const stays = () => root.classList.contains("dw-fill") || root.matches(":popover-open");
    for (let i = 0; i < 600 && stays(); i++) await frames(1);
    if (stays()) found.push(`${name} stays`);
    press(root, "Reset");
  }
  return found;
}
// What the detector says of the p Sweep with a fault planted by `plant(root, context)`.
async function withFault(plant, least) {
  const root = dropoutCourse.alive.find(({ name }) => name === "p_sweep").el.querySelector(".dw");
  press(root, "Just show me");
  await settled(root);
  plant(root, root.querySelector(".dw-pictures canvas").getContext("2d"));
  const found = problems(root, least);
  root.querySelector(".dw-numbers").removeAttribute("style");
  press(root, "Reset");
  return found;
}
// The problems of one widget after this guess.
async function withGuess(index, guess, least) {
  const { el, model } = dropoutCourse.alive[index], root = el.querySelector(".dw");
  press(root, "Reset");
  model.set("guess", guess);
  model.set("covered", false);
  await settled(root);
  const found = problems(root, least);
  press(root, "Reset");
  return found;
}
