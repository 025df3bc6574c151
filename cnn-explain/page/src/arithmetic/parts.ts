/** Operators that are several simpler ones, one after another. */

import type { Arithmetic, OpPart } from "../data";
import { Builder, type Line, need, type Numbers, type Term } from "./cell";

/** What each part gives on the way to this cell; `run` explains one of them. */
export function parts(b: Builder, parts: OpPart[], run: (part: Builder, arithmetic: Arithmetic) => void) {
  const seen = new Map<string, Term>();
  // The layer's own operands, which note what is asked of them.
  const values: Numbers[] = b.operands.map((operand, index) => ({
    extent: operand.extent,
    at: (c, y, x) => {
      const value = need(operand.at(c, y, x));
      const key = `${index} ${c} ${y} ${x}`;
      if (!seen.has(key)) {
        const won = b.at[0] === c && b.at[1] === y && b.at[2] === x;
        seen.set(key, { operand: index, at: [c, y, x], padding: false, x: value, product: value, won });
      }
      return value;
    },
  }));
  const builders = parts.map((part, index) => (at: [number, number, number]) => {
    const operands = part.operands.map((operand) => values[operand]);
    const builder = new Builder({ value: values[b.operands.length + index], weights: b.layer.weights }, operands, at);
    run(builder, part.arithmetic);
    return builder;
  });
  parts.forEach((part, index) => {
    const known = new Map<number, number>();
    const [channels, rows, columns] = part.extent;
    const stored = part.weight === null ? undefined : b.weight(part.weight);
    values.push({
      extent: part.extent,
      at: (c, y, x) => {
        if (c < 0 || y < 0 || x < 0 || c >= channels || y >= rows || x >= columns) return undefined;
        const place = (c * rows + y) * columns + x;
        if (part.weight !== null) {
          const extent = stored?.extent ?? [0, 1, 1];
          return stored?.at(Math.floor(place / extent[1] / extent[2]), Math.floor(place / extent[2]) % extent[1], place % extent[2]);
        }
        const before = known.get(place);
        if (before !== undefined) return before;
        const result = need(builders[index]([c, y, x]).lines.at(-1)?.value);
        known.set(place, result);
        return result;
      },
    });
  });
  // From the last part back along what each takes of those before it, as long as that is one element.
  const lines = new Map<number, Line>();
  const follow = (index: number, at: [number, number, number]) => {
    if (lines.has(index)) return;
    const part = parts[index];
    if (part.weight !== null) {
      lines.set(index, { what: "part", text: part.name, value: need(values[b.operands.length + index].at(...at)) });
      return;
    }
    const builder = builders[index](at);
    const last = builder.lines.at(-1)!;
    const names = part.operands.map((operand) => (operand < b.operands.length ? (b.operands.length === 1 ? "x" : "abc"[operand] ?? `x${operand}`) : parts[operand - b.operands.length].name));
    lines.set(index, { what: "part", text: `${part.name || "y"} = ${part.op}(${names.join(", ")})`, value: last.value });
    part.operands.forEach((operand, slot) => {
      const own = builder.terms.filter((term) => term.operand === slot);
      if (operand >= b.operands.length && own.length === 1) follow(operand - b.operands.length, own[0].at);
      // All of one: what it is made of is a part of its own at many places, and shown by the terms.
    });
  };
  follow(parts.length - 1, b.at);
  [...lines].sort(([a], [b]) => a - b).forEach(([, line]) => b.lines.push(line));
  b.terms.push(...seen.values());
}
