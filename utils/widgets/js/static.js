// A page without a kernel: a model that only remembers, enough for the views that need no Python.
export function staticModel(state) {
  const values = Object.fromEntries(Object.entries(state).map(([key, value]) => [key, decode(value)]));
  const handlers = {};
  return {
    withoutKernel: true,
    get: (key) => values[key],
    set(key, value) {
      if (Object.is(values[key], value)) return;
      values[key] = value;
      for (const handler of handlers[`change:${key}`] ?? []) handler();
    },
    save_changes() {},
    on: (event, handler) => (handlers[event] ??= new Set()).add(handler),
    off: (event, handler) => handlers[event]?.delete(handler),
  };
}

// {"base64": "..."} -> DataView, as a live widget would receive it.
function decode(value) {
  if (value === null || typeof value !== "object" || typeof value.base64 !== "string") return value;
  const bytes = Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0));
  return new DataView(bytes.buffer);
}
