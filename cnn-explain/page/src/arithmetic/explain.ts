/**
 * How one cell of a layer's result comes about, from the numbers around it: the only arithmetic the page does. It adds up
 * in the order in which the interpreter does, in 64 bits, so that the f32 at the end is the interpreter's.
 *
 * | module | what it owns |
 * |---|---|
 * | `cell` | a cell's arithmetic as data, and the builder that collects it |
 * | `windows` | convolutions and pools |
 * | `reductions` | means, sums, softmax, local response normalisation |
 * | `along` | places of extremes, the few greatest and running sums along an axis |
 * | `moves` | layers that move elements |
 * | `integers` | layers of 8-bit integers |
 * | `recurrent` | gates and states |
 * | `parts` | operators that are several simpler ones |
 */

import type { Arithmetic } from "../data";
import { atLeast, atMost, leaky } from "../functions";
import type { Network, NetworkLayer } from "../load";
import { Builder, type Cell, need, type Numbers } from "./cell";
import { argExtreme, cumsum, topK } from "./along";
import { above, add, dequantize, quantize, rescale, whole } from "./integers";
import { move } from "./moves";
import { parts } from "./parts";
import { recurrent } from "./recurrent";
import { lrn, mean, reduce, softmax } from "./reductions";
import { conv, pool, transposed } from "./windows";

export { type Cell, type Gate, Missing, OWN, type Term } from "./cell";
export { window } from "./windows";

/** Explains the cell of a layer at a channel, row and column. Throws {@link Missing} where the page lacks a number. */
export function explain(network: Network, layer: NetworkLayer, at: [number, number, number]): Cell {
  const operands = layer.operands.map((index) => network.layers[index].value);
  const cell = new Builder(layer, operands, at);
  run(cell, layer.arithmetic);
  return cell.finish();
}

function run(b: Builder, arithmetic: Arithmetic): void {
  switch (arithmetic.kind) {
    case "input":
    case "constant":
      return;
    case "quantize":
      return quantize(b, arithmetic);
    case "dequantize":
      return dequantize(b, arithmetic);
    case "quantized_add":
      return add(b, arithmetic);
    case "recurrent":
      return recurrent(b, arithmetic);
    case "conv":
      return arithmetic.transposed ? transposed(b, arithmetic) : conv(b, arithmetic);
    case "dense":
      return dense(b, arithmetic);
    case "pool":
      return pool(b, arithmetic);
    case "global_pool":
    case "adaptive_pool":
      return mean(b, arithmetic);
    case "reduce":
      return reduce(b, arithmetic);
    case "arg_extreme":
      return argExtreme(b, arithmetic);
    case "top_k":
      return topK(b, arithmetic);
    case "cumsum":
      return cumsum(b, arithmetic);
    case "parts":
      return parts(b, arithmetic.parts, run);
    case "function":
      b.activate(arithmetic.function, b.take(0, ...b.at));
      return;
    case "prelu": {
      const value = b.take(0, ...b.at);
      const slope = need(b.weight("slope")?.at(b.at[0], 0, 0));
      b.line("slope", "x > 0 ? x : a·x", leaky(value, slope));
      return;
    }
    case "softmax":
      return softmax(b, arithmetic.axis, arithmetic.log);
    case "batch_norm":
      return batchNorm(b, arithmetic);
    case "lrn":
      return lrn(b, arithmetic);
    case "combine":
      return combine(b, arithmetic);
    case "matmul":
      return matmul(b);
    default:
      return move(b, arithmetic);
  }
}

/** Products of all elements with a row of the matrix. */
function dense(b: Builder, { activation, integers }: Extract<Arithmetic, { kind: "dense" }>) {
  const [c] = b.at;
  const [first, matrix, bias] = [b.operands[0], b.weight("weight")!, b.weight("bias")];
  let sum = 0;
  const [channels, rows, columns] = first.extent;
  for (let n = 0; n < channels * rows * columns; n++) {
    const at: [number, number, number] = [Math.floor(n / (rows * columns)), Math.floor(n / columns) % rows, n % columns];
    const [value, factor] = [above(need(first.at(...at)), integers), whole(b, need(matrix.at(c, n, 0)), c, integers)];
    sum += factor * value;
    b.terms.push({ operand: 0, at, padding: false, x: value, weight: factor, product: factor * value });
  }
  b.line("sum", integers ? "Σ (q − zₓ)·w" : "Σ x·w", sum);
  if (integers) return rescale(b, integers, c, sum);
  if (bias) sum = b.line("bias", "+ b", sum + need(bias.at(c, 0, 0)));
  b.activate(activation, sum);
}

/** Scale and shift of the channel. */
function batchNorm(b: Builder, { epsilon, activation }: Extract<Arithmetic, { kind: "batch_norm" }>) {
  const value = b.take(0, ...b.at);
  const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((role) => need(b.weight(role)?.at(b.at[0], 0, 0)));
  for (const [symbol, number] of [["γ", gamma], ["β", beta], ["μ", mean], ["σ²", variance]] as const) b.line("learnt", symbol, number);
  const scale = b.line("scale", "γ / √(σ² + ε)", gamma / Math.sqrt(variance + epsilon));
  const shift = b.line("shift", "β − μ·scale", beta - mean * scale);
  b.activate(activation, b.line("result", "scale·x + shift", scale * value + shift));
}

/** A row of the first operand times a column of the second. */
function matmul(b: Builder) {
  const [c, y, x] = b.at;
  const [left, right] = b.operands;
  const spread = (v: Numbers, c: number, y: number, x: number): [number, number, number] => [
    v.extent[0] === 1 ? 0 : c,
    v.extent[1] === 1 ? 0 : y,
    v.extent[2] === 1 ? 0 : x,
  ];
  let sum = 0;
  for (let k = 0; k < left.extent[2]; k++) {
    const [row, column] = [spread(left, c, y, k), spread(right, c, k, x)];
    const [value, factor] = [need(left.at(...row)), need(right.at(...column))];
    sum += value * factor;
    b.terms.push({ operand: 0, at: row, padding: false, x: value, weight: factor, product: value * factor });
  }
  b.line("sum", "Σ a·b", sum);
}

type Combined = Extract<Arithmetic, { kind: "combine" }>["of"];

/** What two numbers become; NaN counts as greatest and as least. */
const together: Record<Exclude<Combined, "where">, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  sub: (a, b) => a - b,
  div: (a, b) => a / b,
  max: (a, b) => (Number.isNaN(b) ? b : atLeast(a, b)),
  min: (a, b) => (Number.isNaN(b) ? b : atMost(a, b)),
  equal: (a, b) => Number(a === b),
  greater: (a, b) => Number(a > b),
  greater_equal: (a, b) => Number(a >= b),
};

/** Element by element of several operands. */
function combine(b: Builder, { of, activation }: Extract<Arithmetic, { kind: "combine" }>) {
  const [c, y, x] = b.at;
  const values = b.operands.map((operand, index) => {
    const [channels, rows, columns] = operand.extent;
    return b.take(index, channels === 1 ? 0 : c, rows === 1 ? 0 : y, columns === 1 ? 0 : x);
  });
  const result = of === "where" ? values[values[0] === 0 ? 2 : 1] : values.reduce(together[of]);
  b.activate(activation, b.line("combine", combined(of, values.length), result));
}

const signs: Record<Exclude<Combined, "where">, string> = { add: " + ", mul: " · ", sub: " − ", div: " / ", max: ", ", min: ", ", equal: " = ", greater: " > ", greater_equal: " ≥ " };

/** So many operands, put together, in symbols. */
export function combined(of: Combined, count: number): string {
  if (of === "where") return "a ≠ 0 ? b : c";
  const names = Array.from({ length: count }, (_, i) => "abcdefghij"[i] ?? `x${i}`).join(signs[of]);
  return of === "max" || of === "min" ? `${of}(${names})` : names;
}
