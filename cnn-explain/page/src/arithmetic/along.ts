/** Layers that look along one axis: places of extremes, the few greatest, running sums. */

import type { Arithmetic } from "../data";
import type { Builder } from "./cell";

/** Takes the elements along an axis through this cell, from one place to before another. */
function takeAlong(b: Builder, axis: number, first = 0, end = b.operands[0].extent[axis]): number[] {
  return Array.from({ length: end - first }, (_, i) => {
    const place: [number, number, number] = [...b.at];
    place[axis] = first + i;
    return b.take(0, ...place);
  });
}

/** Which of two comes later in ascending order; NaN is greater than all others. */
const order = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b)));

export function argExtreme(b: Builder, { of, axis, last }: Extract<Arithmetic, { kind: "arg_extreme" }>) {
  const values = takeAlong(b, axis);
  let best = 0;
  values.forEach((value, i) => {
    const found = order(value, values[best]);
    // NaN is taken for either extreme.
    const wins = found === 0 ? last : Number.isNaN(value) ? true : Number.isNaN(values[best]) ? false : found === (of === "max" ? 1 : -1);
    if (wins) best = i;
  });
  b.terms[best].won = true;
  b.line(of, `${of}(x)`, values[best]);
  b.line("place", last ? "last i" : "i", best);
}

export function topK(b: Builder, { axis, largest, indices }: Extract<Arithmetic, { kind: "top_k" }>) {
  const values = takeAlong(b, axis);
  const places = values.map((_, i) => i).sort((i, j) => (largest ? order(values[j], values[i]) : order(values[i], values[j])));
  const [rank, place] = [b.at[axis], places[b.at[axis]]];
  b.terms[place].won = true;
  b.line("ranked", `${largest ? "max" : "min"} [${rank}]`, values[place]);
  if (indices) b.line("place", "i", place);
}

export function cumsum(b: Builder, { axis, exclusive, reverse }: Extract<Arithmetic, { kind: "cumsum" }>) {
  const [own, size] = [b.at[axis], b.operands[0].extent[axis]];
  const less = Number(exclusive);
  const values = reverse ? takeAlong(b, axis, own + less, size) : takeAlong(b, axis, 0, own + 1 - less);
  b.line("sum", "Σ x", values.reduce((sum, value) => sum + value, 0));
}
