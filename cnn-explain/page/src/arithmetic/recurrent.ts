/** Recurrent layers: the gates of one unit at one step, and the state they make. */

import type { Arithmetic } from "../data";
import { type Builder, need, type Numbers, OWN, type Term } from "./cell";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** A state before a step: where its numbers are, or nothing where it is 0. */
interface Before { operand: number; from: Numbers; at: (unit: number) => [number, number, number] }

export function recurrent(b: Builder, { cell, reset_after, units, directions }: Extract<Arithmetic, { kind: "recurrent" }>) {
  const [sequence, step, column] = b.at;
  const [direction, unit] = [Math.floor(column / units) % directions.length, column % units];
  /** Whether the cell is of what the layer remembers, which may be given beside its results. */
  const memory = column >= directions.length * units;
  const [x, suffix] = [b.operands[0], directions[direction] ? "_reverse" : ""];
  const previous = step + (directions[direction] ? 1 : -1);
  /** The state that the step before left, or the given first one: the result (0) or what is remembered (1). */
  const before = (which: 0 | 1): Before | undefined => {
    if (previous >= 0 && previous < x.extent[1]) {
      const from = which ? b.layer.memory : b.layer.value;
      return from ? { operand: OWN, from, at: (unit) => [sequence, previous, direction * units + unit] } : undefined;
    }
    const from = b.operands[1 + which];
    return from && { operand: 1 + which, from, at: (unit) => [sequence, direction, unit] };
  };
  const [h, c] = [before(0), before(1)];
  const state = (from: Before | undefined, unit: number) => (from ? need(from.from.at(...from.at(unit))) : 0);
  const tensor = (role: string) => b.weight(`${role}_l0${suffix}`);

  /** A row of a matrix times a vector, and its bias. */
  const row = (role: "ih" | "hh", index: number, size: number, term: (i: number) => Omit<Term, "product" | "weight" | "padding"> | number): { sum: number; terms: Term[] } => {
    const [matrix, bias, terms] = [tensor(`weight_${role}`)!, tensor(`bias_${role}`), [] as Term[]];
    let sum = 0;
    for (let i = 0; i < size; i++) {
      const [weight, one] = [need(matrix.at(index, i, 0)), term(i)];
      const value = typeof one === "number" ? one : one.x;
      sum += weight * value;
      if (typeof one !== "number") terms.push({ ...one, weight, padding: false, product: weight * value });
    }
    return { sum: sum + (bias ? need(bias.at(index, 0, 0)) : 0), terms };
  };
  const features = (index: number) => row("ih", index, x.extent[2], (i) => ({ operand: 0, at: [sequence, step, i], x: need(x.at(sequence, step, i)) }));
  /** Products with the state, each unit's times a factor where one is given. */
  const ofState = (index: number, factor: (unit: number) => number = () => 1) =>
    row("hh", index, units, (i) => (h ? { operand: h.operand, at: h.at(i), x: factor(i) * state(h, i) } : 0));

  const gate = (name: string, position: number, text: string, combine: (features: number, state: number) => number, factor?: (unit: number) => number) => {
    const [one, other] = [features(position * units + unit), ofState(position * units + unit, factor)];
    const value = combine(one.sum, other.sum);
    const first = b.terms.length;
    b.terms.push(...one.terms, ...other.terms);
    b.gates.push({ name, first, count: b.terms.length - first, features: one.sum, state: other.sum, text, value });
    return value;
  };
  const logistic = (name: string, position: number) => gate(name, position, "σ(Wx + Uh)", (wx, uh) => sigmoid(wx + uh));

  if (cell === "lstm") {
    const [i, f] = [logistic("i", 0), logistic("f", 1)];
    const g = gate("g", 2, "tanh(Wx + Uh)", (wx, uh) => Math.tanh(wx + uh));
    const o = logistic("o", 3);
    const next = f * b.line("state", "c", state(c, unit)) + i * g;
    const remembered = b.line(memory ? "result" : "remembered", "c′ = f·c + i·g", next);
    if (memory) return;
    b.line("result", "h′ = o·tanh(c′)", o * Math.tanh(remembered));
    return;
  }
  const [r, z] = [logistic("r", 0), logistic("z", 1)];
  const reset = (other: number) => (other === unit ? r : sigmoid(features(other).sum + ofState(other).sum));
  const n = reset_after
    ? gate("n", 2, "tanh(Wx + r·Uh)", (wx, uh) => Math.tanh(wx + r * uh))
    : gate("n", 2, "tanh(Wx + U(r⊙h))", (wx, uh) => Math.tanh(wx + uh), h && reset);
  b.line("result", "h′ = (1 − z)·n + z·h", (1 - z) * n + z * b.line("state", "h", state(h, unit)));
}
