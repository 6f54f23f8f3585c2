// How a widget's view is made. A view is a file with `export default view((model, el) => ...)`; in it:
//   const ui = frame(model, el);                     question, guess, Fill screen, Reset; then add what you need:
//   ui.slider("p", "drop probability p", {...});     controls bound to a trait (slider, choice) or free (button, toggle, play)
//   const plot = ui.panel({ title, ratio, tall });   a canvas that follows its container; plot.words({...}) is its text
//   const text = ui.prose({ wide });                 a text in HTML beside the canvases
//   return ui.start((look) => {                      called at most once a frame, when a trait of `settings` changed
//     plot.paint((pen) => { axes(pen, {...}) });     draw in CSS pixels, in any size: see plot.js for pen and axes
//     ui.legend([{ series: "test", value }]);        rows of HTML in the styles of utils/series.json
//     return { text, label };                        the numbers in words; words for a screen reader
//   });
// The Python half (base.py) says which guess is taken; the frame covers the body until it is made or declined.
// Words that can be long are HTML (title, words, legend, text), so that they wrap; on the canvas stand short ones.
import { nearestIndex, pythonLine } from "./core.js";
import { PARTS, together } from "./guess.js";
import { initialize } from "./keep.js";
import { COLOURS, makePen, style, swatch } from "./plot.js";

// What a view says where it would ask Python and there is none.
export const NEEDS_KERNEL = "This needs a running kernel: open the notebook in JupyterLab and run its cell.";

// The play button that is on: at most one.
let playing = null;

// The module that anywidget and the pages expect.
export function view(render) {
  return { initialize, render: ({ model, el }) => render(model, el) };
}

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The colours of JupyterLab's theme, or of the page: {dark, paper, ink, faint, family, blue, orange, ...}.
function readLook(root) {
  const css = getComputedStyle(root);
  const paper = css.getPropertyValue("--jp-layout-color0").trim() || "#ffffff";
  const dark = luminance(paper) < 0.5;
  const look = { dark, paper, faint: dark ? "#6f6f6f" : "#b0b0b0", family: css.fontFamily };
  for (const [name, shades] of Object.entries(COLOURS)) {
    look[name] = shades[dark ? "dark" : "light"];
    root.style.setProperty(`--dw-${name}`, look[name]);
  }
  look.ink = css.getPropertyValue("--jp-content-font-color0").trim() || look.ink;
  return look;
}

// Relative luminance in [0, 1] of a CSS colour, as the browser understands it.
function luminance(colour) {
  const c = document.createElement("canvas").getContext("2d");
  c.fillStyle = colour;
  c.fillRect(0, 0, 1, 1);
  const [r, g, b] = c.getImageData(0, 0, 1, 1).data;
  return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
}

export function frame(model, el) {
  const cleanups = [];
  const on = (event, handler) => {
    model.on(event, handler);
    cleanups.push(() => model.off(event, handler));
  };
  const listen = (target, event, handler, options) => {
    target.addEventListener(event, handler, options);
    cleanups.push(() => target.removeEventListener(event, handler, options));
  };
  const set = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };
  const state = () => Object.fromEntries(model.get("state_keys").map((key) => [key, model.get(key)]));

  const root = make("div", "dw");
  root.dataset.widget = model.get("python_name");
  root.tabIndex = -1; // a click anywhere in the widget takes the keys away from the notebook
  const head = make("div", "dw-head");
  const tools = make("div", "dw-row dw-tools");
  head.append(make("p", "dw-question", model.get("question")), tools);
  const cover = make("div", "dw-cover");
  const answer = make("p", "dw-answer");
  const body = make("div", "dw-body");
  const controls = make("fieldset", "dw-controls");
  const pictures = make("div", "dw-pictures");
  const legend = make("div", "dw-legend");
  const numbers = make("output", "dw-numbers");
  const code = make("code", "dw-code");
  body.append(controls, pictures, legend, numbers, code);
  const note = make("p", "dw-note");
  const error = make("p", "dw-error");
  error.setAttribute("role", "alert");
  root.append(head, cover, answer, body, note, error);
  el.append(root);

  // --- look, size, painting ---

  let look = null; // JupyterLab makes a view before it is on the page, and only there it has a font and colours
  let em = 16;
  let draw = null;
  let waiting = 0;
  let tight = 0;
  const panels = [];
  const resets = [];

  const paint = () => {
    waiting = 0;
    if (!draw || !root.isConnected) return;
    look ??= readLook(root);
    if (model.get("covered")) {
      for (const panel of panels) if (panel.draws) panel.paint(panel.draws);
      return;
    }
    const said = draw(look);
    put(numbers, said.text);
    panels.find((panel) => !panel.draws)?.label(said.label || said.text);
    const open = model.get("takes").kind ? { covered: false } : {};
    put(code, pythonLine(model.get("python_name"), { ...state(), ...open }));
    // On a full screen words that have grown take their room from the pictures.
    if (filled() && root.scrollHeight > root.clientHeight && root.scrollHeight !== tight) {
      fit();
      measure();
      tight = root.scrollHeight > root.clientHeight ? root.scrollHeight : 0; // nothing more to take
      redraw();
    }
  };
  const redraw = () => {
    waiting ||= requestAnimationFrame(paint);
  };
  cleanups.push(() => cancelAnimationFrame(waiting));
  for (const key of model.get("state_keys")) on(`change:${key}`, redraw);

  // Type grows and shrinks with the widget: 13 to 16 pixels in a page, 24 on a 1080p screen that it fills.
  const setType = () => {
    const width = root.clientWidth;
    em = !filled() ? (width < 480 ? 13 : width < 800 ? 14.5 : 16)
      : Math.max(13, Math.round(24 * Math.min(window.innerWidth / 1920, window.innerHeight / 1080)));
    root.style.fontSize = `${em}px`;
  };
  const measure = () => panels.forEach((panel) => panel.measure());
  const relayout = () => {
    setType();
    fit();
    measure();
    paint();
  };
  const sizes = new ResizeObserver(() => {
    setType();
    measure();
    paint(); // at once: a canvas that changes its size is empty until it is painted
  });
  sizes.observe(root);
  cleanups.push(() => sizes.disconnect());
  listen(window, "resize", () => filled() && relayout());
  // The same size on a screen of another resolution.
  let ratio = null;
  const watchRatio = () => {
    ratio?.removeEventListener("change", watchRatio);
    ratio = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    ratio.addEventListener("change", watchRatio);
    paint();
  };
  cleanups.push(() => ratio?.removeEventListener("change", watchRatio));

  // The theme can change while the widget is on the page.
  const themes = new MutationObserver(() => {
    look = null;
    redraw();
  });
  for (const node of [document.body, document.documentElement])
    themes.observe(node, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  cleanups.push(() => themes.disconnect());

  // --- parts ---

  const button = (label, action, place = controls) => {
    const node = make("button", "dw-button", label);
    node.type = "button";
    node.addEventListener("click", action);
    place.append(node);
    return node;
  };

  // A button that is on or off. It is a thing of this page alone: Reset switches it off.
  const toggle = (label, labelOn = label) => {
    const node = button(label, () => node.turn(!node.on));
    node.turn = (onNow) => {
      node.on = onNow;
      node.setAttribute("aria-pressed", String(onNow));
      put(node, onNow ? labelOn : label);
    };
    node.turn(false);
    resets.push(() => node.turn(false));
    return node;
  };

  // A button that lets something run: started(), then tick() once a frame, or every so many milliseconds, until it returns false,
  // the reader stops it, or another one is started; then stopped().
  const play = (label, labelOn, { every = 0, tick, started = () => {}, stopped = () => {} }) => {
    const node = button(label, () => node.turn(!node.on));
    let asked = 0, last = -Infinity;
    const step = (now) => {
      if (now - last >= every) {
        last = now;
        if (tick() === false) { node.turn(false); return; }
      }
      asked = requestAnimationFrame(step);
    };
    node.turn = (onNow) => {
      if (onNow === Boolean(node.on)) return;
      if (onNow) { playing?.turn(false); playing = node; } else if (playing === node) playing = null;
      node.on = onNow;
      put(node, onNow ? labelOn : label);
      cancelAnimationFrame(asked);
      redraw();
      if (onNow) { started(); asked = requestAnimationFrame(step); }
      else stopped();
    };
    resets.push(() => node.turn(false));
    cleanups.push(() => node.turn(false));
    return node;
  };

  // A labelled slider bound to a trait. Arrow keys move it by one step, or to the next of `values` (ascending);
  // between: the trait may lie between two of them, and is read out as it is.
  const slider = (key, label, { min, max, step, values, between = false, digits = 2 }) => {
    if (values) [min, max, step] = [0, values.length - 1, 1];
    const valueAt = (position) => (values ? values[position] : position);
    const toPosition = (value) => (values ? nearestIndex(values, value) : value);
    const box = make("label", "dw-slider");
    const input = make("input");
    Object.assign(input, { type: "range", min, max, step });
    input.setAttribute("aria-label", label);
    input.dataset.key = key;
    const readout = make("output", "dw-readout");
    const show = () => {
      const value = between ? Number(model.get(key)) : valueAt(toPosition(Number(model.get(key))));
      input.value = toPosition(Number(model.get(key)));
      put(readout, value.toFixed(digits));
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
    box.append(make("span", "", label), select);
    controls.append(box);
    return select;
  };

  // A number to type, bound to nothing.
  const field = (label, words, { min, max, step, value }) => {
    const box = make("label", "dw-choice");
    const input = make("input", "dw-field");
    Object.assign(input, { type: "number", min, max, step, value });
    input.setAttribute("aria-label", words);
    box.append(make("span", "", label), input);
    controls.append(box);
    return input;
  };

  // An empty row between the controls and the pictures, for buttons that come and go.
  const row = () => {
    const node = make("div", "dw-row dw-extra");
    pictures.before(node);
    return node;
  };

  // A place for panels that stand in one row, their pictures side by side however long their titles; `wide` is its least
  // width in em before it wraps.
  const group = (wide) => {
    const node = make("div", "dw-group");
    node.style.flex = wide ? `1 1 ${wide}em` : "1 1 100%";
    pictures.append(node);
    return node;
  };

  // A canvas with words around it. Options:
  //   ratio   width / height     tall   least height in em     most   greatest height in em, except on a full screen
  //   wide    least width in em before it wraps                grow   share of the row (0: a row of its own)
  //   place   the group it stands in
  //   title   words above it     focus  true: the keyboard reaches it      fixed  true: always `tall` em high
  // The painter must cope with any width and height.
  const panel = ({ ratio = 1.6, tall = 8, most = 22, wide = 18, grow = 1, title = "", focus = false, fixed = false, place = pictures } = {}) => {
    const figure = make("figure", "dw-panel");
    figure.style.flex = grow ? `${grow} 1 ${wide}em` : "1 1 100%";
    const parts = { title: make("figcaption", "dw-title", title), above: make("div", "dw-words"), below: make("div", "dw-words dw-below") };
    const box = make("div", "dw-box");
    box.style.aspectRatio = String(ratio);
    box.style.setProperty("--dw-low", `${tall}em`);
    box.style.setProperty("--dw-most", `${most}em`);
    if (fixed) Object.assign(box.style, { aspectRatio: "auto", height: `${tall}em`, minHeight: 0, maxHeight: "none" });
    const canvas = make("canvas");
    canvas.setAttribute("role", focus ? "application" : "img");
    if (focus) canvas.tabIndex = 0;
    box.append(canvas);
    figure.append(parts.title, parts.above, box, parts.below);
    place.append(figure);
    let width = 0, height = 0, shown = null, shownIn = null;
    sizes.observe(box);
    const self = {
      figure, canvas,
      measure() { [width, height] = [box.clientWidth, box.clientHeight]; },
      // shows: words for all that the picture depends on. While they, its size and the theme stay, the picture stays.
      paint(painter, shows) {
        if (!width || !height) return;
        const g = canvas.getContext("2d");
        const [w, h] = [width, height].map((length) => Math.max(1, Math.round(length * (window.devicePixelRatio || 1))));
        const now = shows === undefined ? null : `${shows} ${w} ${h} ${em}`;
        if (now !== null && now === shown && look === shownIn) return;
        [shown, shownIn] = [now, look];
        if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
        g.setTransform(w / width, 0, 0, h / height, 0, 0);
        g.clearRect(0, 0, width, height);
        g.globalAlpha = 1;
        g.setLineDash([]);
        painter(makePen(g, look, { width, height, em }));
        if (!canvas.hasAttribute("aria-label")) self.label(figure.innerText.trim() || "picture");
      },
      words(texts) { for (const [part, text] of Object.entries(texts)) put(parts[part], text); },
      label(text) { canvas.setAttribute("aria-label", text); },
      show(visible) { figure.hidden = !visible; },
      // Where a pointer event is, in the panel's CSS pixels, also where the page is scaled (slides).
      point(event) {
        const rect = canvas.getBoundingClientRect();
        return { x: ((event.clientX - rect.left) * width) / rect.width, y: ((event.clientY - rect.top) * height) / rect.height };
      },
    };
    self.measure();
    panels.push(self);
    return self;
  };

  // A text beside the pictures, in columns where there is room. write(title, [[piece, marked], ...], series): marked
  // pieces get a background in the colour of the series, and a line below, for eyes that see no colour.
  const prose = ({ wide = 18, grow = 1 } = {}) => {
    const figure = make("figure", "dw-panel"), title = make("figcaption", "dw-title"), text = make("div", "dw-prose");
    figure.style.flex = `${grow} 1 ${wide}em`;
    figure.append(title, text);
    pictures.append(figure);
    return {
      write(words, parts, series) {
        put(title, words);
        text.style.setProperty("--dw-mark", `var(--dw-${style(series).colour})`);
        text.replaceChildren(...parts.map(([piece, marked]) => make(marked ? "mark" : "span", "", piece)));
      },
    };
  };

  // Let things on a panel be chosen by mouse and by keys. Options:
  //   at(point) -> a thing or null; move(thing or null, key) -> the next thing; press(thing); say(thing) -> words
  // Returns an object whose `now` is the thing that the keys have reached, or null: the painter outlines it.
  const pick = (target, { at, move, press, say }) => {
    const chosen = { now: null };
    const spoken = make("span", "dw-spoken");
    spoken.setAttribute("aria-live", "polite");
    target.figure.append(spoken);
    target.canvas.addEventListener("click", (event) => {
      const thing = at(target.point(event));
      if (thing !== null) press(thing);
    });
    target.canvas.addEventListener("keydown", (event) => {
      const arrow = event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End";
      if (arrow) chosen.now = move(chosen.now, event.key);
      else if ((event.key === " " || event.key === "Enter") && chosen.now !== null) press(chosen.now);
      else return;
      event.preventDefault();
      put(spoken, say(chosen.now));
      redraw();
    });
    target.canvas.addEventListener("blur", () => { chosen.now = null; redraw(); });
    resets.push(() => { chosen.now = null; });
    return chosen;
  };

  // Rows of a legend: {series, name (default: the series' own), value (bold, behind it)}.
  let shownLegend = "";
  const setLegend = (rows) => {
    const now = JSON.stringify(rows);
    if (now === shownLegend) return;
    shownLegend = now;
    legend.replaceChildren(...rows.map(({ series, name, value }) => {
      const row = make("span", "dw-key");
      row.append(swatch(series), make("span", "", name ?? style(series).name));
      if (value !== undefined) row.append(make("b", "", String(value)));
      return row;
    }));
  };

  // --- guess, Reset, Fill screen ---

  const takes = model.get("takes");
  const forget = takes.kind
    ? PARTS[takes.kind](takes, cover, (value) => { set({ guess: value, covered: false }); root.focus({ preventScroll: true }); },
      { model, panel, button, redraw, make })
    : () => {};
  if (takes.kind) {
    const row = make("div", "dw-row");
    row.append(make("span", "dw-words", "The picture comes after your guess."));
    button("Just show me", () => { set({ guess: null, covered: false }); root.focus({ preventScroll: true }); }, row);
    cover.append(row);
  }
  const showCover = () => {
    root.classList.toggle("dw-covered", model.get("covered"));
    if (takes.kind && !model.get("covered"))
      put(answer, together(takes, model.get("guess"), model.get("truth"), model.get("because")));
    if (draw) relayout();
  };
  for (const key of ["covered", "guess", "truth", "because"]) on(`change:${key}`, showCover);

  const filled = () => root.classList.contains("dw-fill");
  const fillButton = button("Fill screen", () => (filled() ? leaveScreen() : fillScreen()), tools);
  const setFilled = (full) => {
    root.classList.toggle("dw-fill", full);
    root.style.background = full ? readLook(root).paper : "";
    put(fillButton, full ? "Leave full screen" : "Fill screen");
    relayout();
  };
  // The browser's full screen where it is allowed, else the whole window, above everything (a popover).
  const fillScreen = () => {
    const whole = () => {
      if (root.showPopover) { root.popover = "manual"; root.showPopover(); }
      setFilled(true);
    };
    if (document.fullscreenEnabled && root.requestFullscreen) root.requestFullscreen().catch(whole);
    else whole();
  };
  const leaveScreen = () => {
    if (document.fullscreenElement === root) { document.exitFullscreen(); return; }
    if (root.hasAttribute("popover")) { root.hidePopover(); root.removeAttribute("popover"); }
    setFilled(false);
    fillButton.focus();
  };
  listen(document, "fullscreenchange", () => {
    const full = document.fullscreenElement === root;
    if (full !== filled() && !root.hasAttribute("popover")) setFilled(full);
  });
  // On a full screen: the largest canvases with which everything is on the screen.
  function fit() {
    root.style.removeProperty("--dw-scale");
    if (!filled() || model.get("covered")) return;
    let [low, high] = [0.1, 4];
    for (let k = 0; k < 8; k++) {
      const middle = (low + high) / 2;
      root.style.setProperty("--dw-scale", middle);
      if (root.scrollHeight <= root.clientHeight) low = middle;
      else high = middle;
    }
    root.style.setProperty("--dw-scale", low);
  }

  // --- keys ---

  // Keys that are pressed in the widget are the widget's, and not shortcuts of JupyterLab (d d deletes a cell) or
  // of the slides (Space turns the page). Those with Ctrl or Cmd pass, and Escape, which leaves the widget.
  const ours = (event) => !event.ctrlKey && !event.metaKey && event.key !== "Escape";
  listen(window, "keydown", (event) => {
    if (!root.contains(event.target)) return;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", ours(event)); // JupyterLab asks the focused element
    if (event.key === "Escape" && filled()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      leaveScreen();
    }
  }, true);
  for (const name of ["keydown", "keypress"])
    root.addEventListener(name, (event) => { if (ours(event)) event.stopPropagation(); });

  // --- a kernel, or none ---

  let offline = Boolean(model.withoutKernel);
  const showOffline = () => {
    const idle = offline && model.get("asks_kernel");
    controls.disabled = idle;
    put(note, idle ? NEEDS_KERNEL : "");
  };
  // A model whose kernel is gone, or that came out of the notebook's file, does not reach Python.
  if (model.widget_manager?.get_model)
    model.widget_manager.get_model(model.get("_own_id")).then((real) => {
      const follow = () => { offline = !real.comm_live; showOffline(); };
      real.on("comm_live_update", follow);
      cleanups.push(() => real.off("comm_live_update", follow));
      follow();
    });
  on("change:error", () => put(error, model.get("error")));

  return {
    root, on, set, slider, choice, field, button, toggle, play, row, group, panel, prose, pick, redraw,
    legend: setLegend,
    offline: () => offline,
    // The curve that the learner drew, as [xs, ys], or null.
    curve: () => (takes.kind === "curve" && model.get("guess") ? [takes.x, model.get("guess")] : null),
    // More to do on Reset: a function that may return values of further traits to set.
    onReset: (more) => resets.push(more),
    start(painter) {
      button("Reset", () => {
        forget();
        set(Object.assign({ ...model.get("opening"), guess: null }, ...resets.map((more) => more() ?? {})));
        redraw();
      }, tools);
      draw = painter;
      put(error, model.get("error"));
      showOffline();
      showCover();
      watchRatio();
      return () => cleanups.forEach((clean) => clean());
    },
  };
}
