/** Layers that move elements and compute nothing, or mix the nearest ones. */

import type { Arithmetic } from "../data";
import type { Builder } from "./cell";
import { inside } from "./windows";

/** The kinds of arithmetic that this module knows. */
export type Move = Extract<Arithmetic, { kind: "concat" | "same" | "tile" | "gather_along" | "pad" | "gather" | "blend" | "slice" | "transpose" | "depth_to_space" | "space_to_depth" | "shuffle" }>;

export function move(b: Builder, arithmetic: Move) {
  const [c, y, x] = b.at;
  const { extent } = b.layer.value;
  const first = b.operands[0];
  switch (arithmetic.kind) {
    case "gather":
      return b.copy(0, c, arithmetic.rows[y], arithmetic.columns[x]);
    case "tile":
      return b.copy(0, c % first.extent[0], y % first.extent[1], x % first.extent[2]);
    case "gather_along": {
      const { axis, places } = arithmetic;
      const [, rows, columns] = b.operands[1].extent;
      const [i, j, k] = b.at.map((place, own) => (places[own] === 1 ? 0 : place));
      const nth = (i * places[1] + j) * places[2] + k;
      const said = Math.trunc(b.take(1, Math.floor(nth / (rows * columns)), Math.floor(nth / columns) % rows, nth % columns));
      const size = first.extent[axis];
      const place = b.line("place", said < 0 ? `i + ${size}` : "i", said < 0 ? said + size : said);
      if (!(place >= 0 && place < size)) {
        b.line("absent", "", NaN);
        return;
      }
      const from: [number, number, number] = [...b.at];
      from[axis] = place;
      return b.copy(0, ...from);
    }
    case "concat": {
      let channel = c;
      for (let operand = 0; operand < b.operands.length; operand++) {
        const channels = b.operands[operand].extent[0];
        if (channel < channels) return b.copy(operand, channel, y, x);
        channel -= channels;
      }
      return;
    }
    case "same": {
      const place = (c * extent[1] + y) * extent[2] + x;
      const [, rows, columns] = first.extent;
      return b.copy(0, Math.floor(place / (rows * columns)), Math.floor(place / columns) % rows, place % columns);
    }
    case "pad": {
      const [row, column] = [y - arithmetic.sides[0], x - arithmetic.sides[1]];
      if (inside(first, row, column)) return b.copy(0, c, row, column);
      b.line("border", "border", Number(arithmetic.value));
      return;
    }
    case "blend": {
      const [y0, y1, fy] = arithmetic.rows[y];
      const [x0, x1, fx] = arithmetic.columns[x];
      const across = (row: number) => b.take(0, c, row, x0) * (1 - fx) + b.take(0, c, row, x1) * fx;
      b.line("blend", "Σ x·share", across(y0) * (1 - fy) + across(y1) * fy);
      const shares = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
      b.terms.forEach((term, i) => {
        term.weight = shares[i];
        term.product = term.x * shares[i];
      });
      return;
    }
    case "slice": {
      const place: [number, number, number] = [c, y, x];
      place[arithmetic.axis] = arithmetic.first + place[arithmetic.axis] * arithmetic.step;
      return b.copy(0, ...place);
    }
    case "transpose": {
      const place: [number, number, number] = [0, 0, 0];
      arithmetic.order.forEach((axis, i) => (place[axis] = b.at[i]));
      return b.copy(0, ...place);
    }
    case "depth_to_space": {
      const { block, sources } = arithmetic;
      const source = sources[(c * block + (y % block)) * block + (x % block)];
      return b.copy(0, source, Math.floor(y / block), Math.floor(x / block));
    }
    case "space_to_depth": {
      const [block, channels] = [arithmetic.block, first.extent[0]];
      const place = Math.floor(c / channels);
      return b.copy(0, c % channels, y * block + Math.floor(place / block), x * block + (place % block));
    }
    case "shuffle": {
      const group = first.extent[0] / arithmetic.groups;
      return b.copy(0, (c % arithmetic.groups) * group + Math.floor(c / arithmetic.groups), y, x);
    }
  }
}
