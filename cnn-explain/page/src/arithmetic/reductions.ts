/** Layers that make one number of many: means, sums, greatest ones, softmax, and the neighbours of a normalisation. */

import type { Arithmetic } from "../data";
import { type Builder, need } from "./cell";

/** Takes all elements of some channels, rows and columns. */
function takeAll(b: Builder, [channels, rows, columns]: [number, number][]) {
  for (let i = channels[0]; i < channels[1]; i++) {
    for (let j = rows[0]; j < rows[1]; j++) {
      for (let k = columns[0]; k < columns[1]; k++) b.take(0, i, j, k);
    }
  }
}

export function mean(b: Builder, arithmetic: Extract<Arithmetic, { kind: "global_pool" }> | { kind: "adaptive_pool" | string }) {
  const [, rows, columns] = b.operands[0].extent;
  const [c, y, x] = b.at;
  const [, height, width] = b.layer.value.extent;
  const ranges: [number, number][] = [[c, c + 1], [0, rows], [0, columns]];
  if (arithmetic.kind === "adaptive_pool") {
    ranges[1] = [Math.floor((y * rows) / height), Math.ceil(((y + 1) * rows) / height)];
    ranges[2] = [Math.floor((x * columns) / width), Math.ceil(((x + 1) * columns) / width)];
  }
  takeAll(b, ranges);
  reduced(b, "of" in arithmetic && arithmetic.of === "max" ? "max" : "mean");
}

export function reduce(b: Builder, { of, axes }: Extract<Arithmetic, { kind: "reduce" }>) {
  const { extent } = b.operands[0];
  takeAll(b, b.at.map((place, axis) => (axes[axis] ? [0, extent[axis]] : [place, place + 1])));
  reduced(b, of);
}

/** What becomes of the terms. */
function reduced(b: Builder, of: Extract<Arithmetic, { kind: "reduce" }>["of"]) {
  if (of === "max" || of === "min") {
    let best = of === "max" ? -Infinity : Infinity;
    for (const { x } of b.terms) best = Number.isNaN(x) || Number.isNaN(best) ? NaN : of === "max" ? Math.max(best, x) : Math.min(best, x);
    const winner = b.terms.find((term) => Object.is(term.x, best) || term.x === best);
    if (winner) winner.won = true;
    b.line(of, `${of}(x)`, best);
    return;
  }
  if (of === "prod") {
    b.line("productAll", "Π x", b.terms.reduce((product, { x }) => product * x, 1));
    return;
  }
  if (of === "sum_square") for (const term of b.terms) term.product = term.x * term.x;
  const sum = b.terms.reduce((sum, { product }) => sum + product, 0);
  b.line(of === "sum_square" ? "squares" : "sum", of === "sum_square" ? "Σ x²" : "Σ x", sum);
  if (of === "mean") b.line("mean", `Σ / ${b.terms.length}`, sum / b.terms.length);
}

export function softmax(b: Builder, axis: number, log: boolean) {
  const size = b.operands[0].extent[axis];
  let greatest = -Infinity;
  for (let i = 0; i < size; i++) {
    const place: [number, number, number] = [...b.at];
    place[axis] = i;
    const value = b.take(0, ...place);
    greatest = Math.max(greatest, value);
  }
  let sum = 0;
  for (const term of b.terms) {
    term.product = Math.exp(term.x - greatest);
    sum += term.product;
  }
  const own = b.terms[b.at[axis]];
  own.won = true;
  b.line("greatest", "max(x)", greatest);
  if (log) {
    const total = b.line("log", "ln Σ e^(x − max)", Math.log(sum));
    b.line("result", "x − max − ln Σ", own.x - greatest - total);
    return;
  }
  b.line("exp", "e^(x − max)", own.product);
  b.line("expsum", "Σ e^(x − max)", sum);
  b.line("result", "e^(x − max) / Σ", own.product / sum);
}

/** Local response normalisation: over the energy of the neighbouring channels. */
export function lrn(b: Builder, arithmetic: Extract<Arithmetic, { kind: "lrn" }>) {
  const [c, y, x] = b.at;
  const below = Math.floor((arithmetic.size - 1) / 2);
  const above = arithmetic.size - 1 - below;
  let energy = 0;
  const last = Math.min(c + above, b.layer.value.extent[0] - 1);
  for (let n = Math.max(c - below, 0); n <= last; n++) {
    const value = b.take(0, n, y, x);
    energy += value * value;
    b.terms.at(-1)!.product = value * value;
  }
  const { alpha, beta, k, size } = arithmetic;
  b.line("energy", "Σ x²", energy);
  const divisor = b.line("divisor", "(k + α/n·Σ)^β", (k + (alpha / size) * energy) ** beta);
  b.line("result", "x / divisor", need(b.operands[0].at(c, y, x)) / divisor);
}
