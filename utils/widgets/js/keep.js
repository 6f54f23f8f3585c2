// The state of the widgets on show goes into the notebook's file whenever JupyterLab or Notebook 7 saves it.
// So a file that is opened again without its kernel brings its widgets back, and nobody reads "model not found".
// (Jupyter's own setting does this only when the reader has found it, and not after a restart of the kernel.)
const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "application/vnd.jupyter.widget-state+json";
const KEPT = Symbol.for("dropout course: the widgets of this notebook");

// anywidget calls this once for each model, shown or not. Elsewhere (VS Code, Colab) there is no such notebook.
export function initialize({ model }) {
  const context = model.widget_manager?.context;
  if (!context?.saveState?.connect || !context.model?.setMetadata) return;
  context[KEPT] ??= watchSaves(context);
  model.widget_manager.get_model(model.get("_own_id")).then((real) => context[KEPT].set(real.model_id, real));
}

function watchSaves(context) {
  const models = new Map();
  context.saveState.connect((_, state) => {
    if (state === "started") store(context.model, models);
  });
  return models;
}

function store(notebook, models) {
  const { cells, metadata } = notebook.toJSON();
  const shown = cells.flatMap((cell) => cell.outputs ?? []).map((output) => output.data?.[VIEW]?.model_id);
  const before = metadata.widgets?.[STATE]?.state ?? {};
  // What is not ours stays as it was; of ours, what is on show.
  const state = Object.fromEntries(Object.entries(before).filter(([, { state: values }]) => !("_own_id" in values)));
  for (const id of shown)
    if (models.has(id)) state[id] = serialize(models.get(id));
    else if (id in before) state[id] = before[id];
  if (Object.keys(state).length)
    notebook.setMetadata("widgets", { [STATE]: { version_major: 2, version_minor: 0, state } });
}

// One model as Jupyter's widget-state format wants it. Its layout is left out: it is the default one.
function serialize(model) {
  const state = {}, buffers = [];
  for (const [key, value] of Object.entries(model.attributes)) {
    if (value instanceof DataView) buffers.push({ path: [key], encoding: "base64", data: base64(value) });
    else if (key !== "layout") state[key] = value;
  }
  const { model_name, model_module, model_module_version } = Object.fromEntries(
    ["model_name", "model_module", "model_module_version"].map((key) => [key, model.get(`_${key}`)]));
  return { model_name, model_module, model_module_version, state, buffers };
}

function base64(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
