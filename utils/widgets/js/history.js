// What a widget has done so far: [[setting, ..., count], ...]. The twins of joined and left in history.py: segments
// whose first setting is one of `alone` start something anew, and are neither joined nor continued.
const alike = (a, b) => a.length === b.length && a.slice(0, -1).every((setting, k) => setting === b[k]);

// The same history with as few segments as possible.
export function joined(segments, alone = []) {
  const list = [];
  for (const segment of segments)
    if (list.length && alike(list.at(-1), segment) && !alone.includes(segment[0])) list.at(-1).push(list.at(-1).pop() + segment.at(-1));
    else list.push([...segment]);
  return list;
}

// The segments of `wanted` that are still to be done, or null where `done` is no beginning of it.
export function left(done, wanted, alone = []) {
  [done, wanted] = [joined(done, alone), joined(wanted, alone)];
  if (!done.length) return wanted;
  const last = done.length - 1;
  if (wanted.length <= last || !done.every((segment, k) => alike(segment, wanted[k]) && (k === last || segment.at(-1) === wanted[k].at(-1))))
    return null;
  const rest = wanted[last].at(-1) - done[last].at(-1);
  if (rest < 0 || (rest && alone.includes(done[last][0]))) return null;
  return [...(rest ? [[...done[last].slice(0, -1), rest]] : []), ...wanted.slice(last + 1)];
}
