import { float32 } from "./core.js";
import { frame, view } from "./ui.js";

const PATIENCE = 300; // ms

export default view((model, el) => {
  const ui = frame(model, el);
  const input = float32(model.get("input")), units = input.length;
  const options = model.get("options"), settings = ["framework", "situation", "p", "seed"];
  ui.choice("framework", "framework", Object.keys(options).map((name) => [name, name]));
  const situations = () => (options[model.get("framework")] ?? []).map((words) => [words, words]);
  const box = ui.choice("situation", "how it is called", situations());
  ui.on("change:framework", () => box.fill(situations()));
  ui.slider("p", "drop probability p", { min: 0, max: 1, step: 0.05 });
  ui.button("Again, other seed", () => ui.set({ seed: model.get("seed") + 1 }));
  // Five rounds: the outputs of a hidden call, and a button for each call that may have made them.
  const game = ui.row();
  ui.button("Five rounds", () => ui.set({ game: model.get("game") + 1 }));
  let at = null; // the round on show
  const verdict = (k) => {
    const { call, alike } = model.get("rounds")[k], said = model.get("said")[k];
    const others = alike.filter((other) => other !== call);
    const also = others.length ? ` (so would ${others.join(", ")})` : "";
    return `${alike.includes(said) ? "Right" : `No, not ${said}`}: it was ${call}${also}.`;
  };
  const score = () => `${model.get("rounds").filter(({ alike }, k) => alike.includes(model.get("said")[k])).length} of ${model.get("said").length}`;
  const showGame = () => {
    const rounds = model.get("rounds"), said = model.get("said");
    game.replaceChildren();
    if (at === null || !rounds.length) return;
    const words = document.createElement("span");
    words.className = "dw-words";
    game.append(words);
    if (said.length > at) {
      const last = at === rounds.length - 1;
      words.textContent = `${verdict(at)} ${score()} right.`;
      ui.button(last ? "Done" : "Next round", () => { at = last ? null : at + 1; showGame(); ui.redraw(); }, game).focus({ preventScroll: true });
    } else {
      words.textContent = `Round ${at + 1} of ${rounds.length}, p = 0.5: which call made these?`;
      for (const [call] of situations()) ui.button(call, () => { ui.set({ said: [...model.get("said"), call] }); showGame(); }, game);
    }
  };
  ui.on("change:rounds", () => { at = model.get("rounds").length ? 0 : null; showGame(); ui.redraw(); });
  const leaveGame = () => { at = null; showGame(); };
  for (const key of settings) ui.on(`change:${key}`, leaveGame);
  ui.onReset(() => { leaveGame(); return { rounds: [], said: [] }; });
  const inputs = ui.panel({ ratio: 26, tall: 1.6, most: 2, grow: 0 });
  const table = ui.panel({ ratio: 1.6, tall: 24, most: 26, grow: 0 });
  inputs.words({ title: `The input: ${units} numbers` });
  table.words({ below: "one row a pass; a bar is a value, a cross is a zero" });
  // The kernel answers a move with new outputs: that is when there is something new to paint.
  for (const key of ["outputs", "outputs_of", "error"]) ui.on(`change:${key}`, ui.redraw);
  // Loading a framework takes the kernel seconds. Until the outputs are those of the settings on show, the words are
  // about the outputs, and after a moment they say what is waited for.
  let waiting = null, long = false;
  const watch = () => {
    const answered = settings.every((key, k) => model.get("outputs_of")[k] === model.get(key)) || model.get("error");
    if (answered) { clearTimeout(waiting); waiting = null; long = false; }
    else waiting ??= setTimeout(() => { long = true; ui.redraw(); }, PATIENCE);
  };

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
    const hidden = at !== null, [framework, situation, p] = model.get("outputs_of");
    watch();
    const out = hidden ? Float32Array.from(model.get("rounds")[at].outputs) : float32(model.get("outputs"));
    const passes = out.length / units;
    const largest = out.reduce((a, b) => Math.max(a, b), input.at(-1));
    const rows = Array.from({ length: passes }, (_, k) => out.subarray(k * units, (k + 1) * units));
    const left = (pen) => pen.measure("pass 20") + 0.6 * pen.em;
    inputs.paint((pen) => drawRow(pen, input, largest, left(pen), 0, pen.height));
    table.words({ title: `${passes} passes of that input: ${hidden ? `${model.get("framework")}, an unknown call` : `${framework}, ${situation}`}` });
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
      text: hidden ? `Round ${at + 1}: ${same ? "all outputs equal the input" : `${distinct} different outputs`}.`
        : long ? `Waiting for ${model.get("framework")} in the kernel; until it answers you see ${framework}, ${situation}, p = ${p.toFixed(2)}.`
        : same ? `Dropout is OFF: all ${passes} outputs equal the input.`
        : `Dropout is ON: ${distinct} different output${distinct > 1 ? "s" : ""} in ${passes} passes of one input.`,
    };
  });
});
