/** Layers that look through windows: convolutions, forward and transposed, and pools. */

import type { Arithmetic, Window } from "../data";
import { Builder, need, type Numbers } from "./cell";
import { above, rescale, whole } from "./integers";

/** The places that a window sees, in order; those in the padding too. */
export function window(w: Window, y: number, x: number): { y: number; x: number; tap: [number, number] }[] {
  const places = [];
  for (let i = 0; i < w.size[0]; i++) {
    for (let j = 0; j < w.size[1]; j++) {
      places.push({
        y: y * w.stride[0] + i * w.dilation[0] - w.sides[0],
        x: x * w.stride[1] + j * w.dilation[1] - w.sides[1],
        tap: [i, j] as [number, number],
      });
    }
  }
  return places;
}

export const inside = (value: Numbers, y: number, x: number) => y >= 0 && x >= 0 && y < value.extent[1] && x < value.extent[2];

export function conv(b: Builder, { window: w, groups, activation, integers }: Extract<Arithmetic, { kind: "conv" }>) {
  const [filter, y, x] = b.at;
  const [input, matrix, bias] = [b.operands[0], b.weight("weight")!, b.weight("bias")];
  const [insideGroup, outsideGroup] = [input.extent[0] / groups, b.layer.value.extent[0] / groups];
  const places = window(w, y, x);
  let sum = 0;
  for (let i = 0; i < insideGroup; i++) {
    const channel = Math.floor(filter / outsideGroup) * insideGroup + i;
    const first = b.terms.length;
    let own = 0;
    for (const place of places) {
      const factor = whole(b, need(matrix.at(filter, i, place.tap[0] * w.size[1] + place.tap[1])), filter, integers);
      const seen = inside(input, place.y, place.x);
      const value = seen ? above(need(input.at(channel, place.y, place.x)), integers) : 0;
      const product = seen ? factor * value : 0;
      sum += product;
      own += product;
      b.terms.push({ operand: 0, at: [channel, place.y, place.x], padding: !seen, x: value, weight: factor, tap: place.tap, product });
    }
    b.channels.push({ channel, first, count: places.length, sum: own });
  }
  b.line("sum", integers ? "Σ (q − zₓ)·w" : "Σ x·w", sum);
  if (integers) return rescale(b, integers, filter, sum);
  if (bias) sum = b.line("bias", "+ b", sum + need(bias.at(filter, 0, 0)));
  b.activate(activation, sum);
}

export function transposed(b: Builder, { window: w, groups, activation }: Extract<Arithmetic, { kind: "conv" }>) {
  const [filter, y, x] = b.at;
  const [input, matrix, bias] = [b.operands[0], b.weight("weight")!, b.weight("bias")];
  const [insideGroup, outsideGroup] = [input.extent[0] / groups, b.layer.value.extent[0] / groups];
  const group = Math.floor(filter / outsideGroup);
  let sum = 0;
  for (let channel = group * insideGroup; channel < (group + 1) * insideGroup; channel++) {
    const first = b.terms.length;
    let own = 0;
    for (let i = 0; i < w.size[0]; i++) {
      for (let j = 0; j < w.size[1]; j++) {
        const [row, column] = [
          (y + w.sides[0] - i * w.dilation[0]) / w.stride[0],
          (x + w.sides[1] - j * w.dilation[1]) / w.stride[1],
        ];
        if (!Number.isInteger(row) || !Number.isInteger(column) || !inside(input, row, column)) continue;
        const factor = need(matrix.at(channel, filter % outsideGroup, i * w.size[1] + j));
        const value = need(input.at(channel, row, column));
        sum += factor * value;
        own += factor * value;
        b.terms.push({ operand: 0, at: [channel, row, column], padding: false, x: value, weight: factor, tap: [i, j], product: factor * value });
      }
    }
    b.channels.push({ channel, first, count: b.terms.length - first, sum: own });
  }
  b.line("sum", "Σ x·w", sum);
  if (bias) sum = b.line("bias", "+ b", sum + need(bias.at(filter, 0, 0)));
  b.activate(activation, sum);
}

export function pool(b: Builder, { of, window: w, include_pad }: Extract<Arithmetic, { kind: "pool" }>) {
  const [c, y, x] = b.at;
  const input = b.operands[0];
  let [sum, count, least, greatest] = [0, 0, Infinity, -Infinity];
  for (const place of window(w, y, x)) {
    const seen = inside(input, place.y, place.x);
    const value = seen ? need(input.at(c, place.y, place.x)) : 0;
    b.terms.push({ operand: 0, at: [c, place.y, place.x], padding: !seen, x: value, tap: place.tap, product: value });
    const within = place.y < input.extent[1] + w.sides[2] && place.x < input.extent[2] + w.sides[3];
    if (seen || (include_pad && within)) count++;
    if (!seen) continue;
    sum += value;
    if (Number.isNaN(value)) least = greatest = NaN;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (of === "avg") {
    b.line("sum", "Σ x", sum);
    b.line("mean", `Σ / ${count}`, b.terms.some((term) => !term.padding) ? sum / count : 0);
    return;
  }
  const result = of === "max" ? greatest : least;
  const winner = b.terms.find((term) => !term.padding && term.x === result);
  if (winner) winner.won = true;
  b.line(of, `${of}(x)`, result);
}
