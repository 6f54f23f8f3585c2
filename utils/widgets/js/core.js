// Pure functions that the views share. Each has a twin in utils/widgets/core.py; a test runs both
// over a grid and compares them exactly. Nothing here touches the page.

// A 32-bit integer hash with low bias (two rounds of xor-shift and multiply, then a last xor-shift).
function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

// n uniform numbers in [0, 1) as float32: from number `first` on of the stream of this seed.
export function uniform(seed, n, first = 0) {
  const start = mix((seed + 0x9e3779b9) >>> 0) + first;
  const U = new Float32Array(n);
  for (let i = 0; i < n; i++) U[i] = (mix((start + i) >>> 0) >>> 8) / 16777216;
  return U;
}

// n standard normal numbers (Box & Muller 1958): element i depends on the seed and on i alone.
export function normal(seed, n) {
  const U = uniform(seed, 2 * n);
  const Z = new Float64Array(n);
  for (let i = 0; i < n; i++)
    Z[i] = Math.sqrt(-2 * Math.log(1 - U[2 * i])) * Math.cos(2 * Math.PI * U[2 * i + 1]);
  return Z;
}

// Keep-mask of 0s and 1s: a unit is kept when its uniform number is at least p (rounded to float32).
export function keepMask(U, p) {
  const limit = Math.fround(p);
  const mask = new Uint8Array(U.length);
  for (let i = 0; i < U.length; i++) mask[i] = U[i] >= limit ? 1 : 0;
  return mask;
}

export function sum(values) {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

export function mean(values) {
  return sum(values) / values.length;
}

// Variance over all values (divides by n).
export function variance(values) {
  const m = mean(values);
  let total = 0;
  for (const value of values) total += (value - m) ** 2;
  return total / values.length;
}

// Mean and standard deviation of a Binomial(n, q) count.
export function binomial(n, q) {
  return { mean: n * q, std: Math.sqrt(n * q * (1 - q)) };
}

// The probability of exactly k successes in n tries, each with probability q.
export function binomialShare(n, q, k) {
  if (q === 0 || q === 1) return k === n * q ? 1 : 0;
  let log = k * Math.log(q) + (n - k) * Math.log1p(-q);
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return Math.exp(log);
}

// Counts of values in equal bins over [low, high], or sums of their weights; what lies outside goes into the
// end bins.
export function histogram(values, low, high, bins, weights) {
  const counts = new Array(bins).fill(0);
  values.forEach((value, i) => {
    const k = Math.floor(((value - low) / (high - low)) * bins);
    counts[Math.min(bins - 1, Math.max(0, k))] += weights ? weights[i] : 1;
  });
  return counts;
}

// Round numbers, equally far apart, from below the smallest value (or 0) to above the largest (or 0).
export function roundTicks(values) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  const step = [0.5, 1, 2, 5, 10].find((s) => (high - low) / s < 8) ?? 20;
  const first = Math.floor(Math.min(low, -step / 2) / step), last = Math.ceil(Math.max(high, step / 2) / step);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

// float32 numbers from the bytes that Python sends (a DataView).
export function float32(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

// The same from half-precision numbers (IEEE 754, 16 bits).
export function float16(view) {
  return Float32Array.from(new Uint16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength)), (bits) => {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits & 0x8000 ? -size : size;
  });
}

// The index of the number in `values` nearest to `wanted`; the first of two equally near.
export function nearestIndex(values, wanted) {
  return values.reduce((best, v, i) => (Math.abs(v - wanted) < Math.abs(values[best] - wanted) ? i : best), 0);
}

// One line of Python that makes the widget as it stands.
export function pythonLine(name, state) {
  const words = Object.entries(state).map(([key, value]) => `${key}=${pythonValue(value)}`);
  return `${name}(${words.join(", ")})`;
}

function pythonValue(value) {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value).map(([k, v]) => `${k}: ${pythonValue(v)}`).join(", ")}}`;
  return String(value);
}
