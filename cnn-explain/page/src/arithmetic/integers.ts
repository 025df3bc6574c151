/**
 * Layers of 8-bit integers, to the bit: sums of products are exact; what is done to a complete sum is done in single
 * precision, in the order in which the interpreter does it.
 */

import type { Arithmetic, Rescaled } from "../data";
import { nearestEven } from "../functions";
import { type Builder, need } from "./cell";

const single = Math.fround;

/** The integer of so many scales, as the line that ends a cell: rounded, plus the zero point, cut off. */
function round(b: Builder, scales: number, zero: number, [least, greatest]: [number, number]) {
  const rounded = nearestEven(Math.min(Number.isNaN(scales) ? -zero : Math.max(scales, -zero), 255 - zero)) + zero;
  b.line("rounded", `${zero ? `round + ${zero}` : "round"}, ${least} … ${greatest}`, Math.min(Math.max(rounded, least), greatest));
}

/** What an integer is over the one that stands for 0. */
export const above = (q: number, integers: Rescaled | null) => (integers ? q - integers.from.zero_point : q);

/** A weight as the integer that it is of its filter's scale; as it is where real numbers are computed with. */
export function whole(b: Builder, weight: number, filter: number, integers: Rescaled | null): number {
  if (!integers) return weight;
  const scale = need(b.weight("weight_scale")?.at(filter, 0, 0));
  return Math.min(Math.max(nearestEven(single(weight / scale)) || 0, -128), 127);
}

/** From a complete sum of products of integers to the integer of the result. */
export function rescale(b: Builder, { from, to, bounds }: Rescaled, filter: number, sum: number) {
  const unit = single(from.scale * need(b.weight("weight_scale")?.at(filter, 0, 0)));
  const bias = b.weight("bias");
  let complete = sum;
  if (bias) {
    const integer = nearestEven(need(bias.at(filter, 0, 0)) / unit) || 0;
    complete += Math.min(Math.max(integer, -(2 ** 31)), 2 ** 31 - 1);
    b.line("bias", "+ round(b / (sₓ·s_w))", complete);
  }
  const factor = single(unit / to.scale);
  const scales = b.line("scale", `· sₓ·s_w / s_y = ${factor.toPrecision(4)}`, single(single(complete | 0) * factor));
  round(b, scales, to.zero_point, bounds);
}

export function quantize(b: Builder, { to }: Extract<Arithmetic, { kind: "quantize" }>) {
  const scales = b.line("scale", `x / ${to.scale.toPrecision(4)}`, single(b.take(0, ...b.at) / to.scale));
  round(b, scales, to.zero_point, [0, 255]);
}

export function dequantize(b: Builder, { from }: Extract<Arithmetic, { kind: "dequantize" }>) {
  const q = b.take(0, ...b.at);
  b.line("result", from.zero_point ? `${from.scale.toPrecision(4)}·(q − ${from.zero_point})` : `${from.scale.toPrecision(4)}·q`, single((q - from.zero_point) * from.scale));
}

export function add(b: Builder, { from, to, bounds }: Extract<Arithmetic, { kind: "quantized_add" }>) {
  const [left, right] = from.map((of) => single(of.scale / to.scale));
  const shift = single(to.zero_point - single(single(left * from[0].zero_point) + single(right * from[1].zero_point)));
  const [a, c] = [b.take(0, ...b.at), b.take(1, ...b.at)];
  const [one, other] = [single(a * left), single(c * right)];
  // What each brings, of the result's integers.
  [one, other].forEach((product, i) => Object.assign(b.terms[i], { product, weight: [left, right][i] }));
  b.line("shift", "z_y − (z_a·s_a + z_b·s_b) / s_y", shift);
  round(b, b.line("combine", "(a·s_a + b·s_b) / s_y + shift", single(one + single(other + shift))), 0, bounds);
}
