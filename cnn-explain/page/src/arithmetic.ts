/**
 * How one cell of a layer's result comes about, from the numbers around it: the only arithmetic the page does. It adds up
 * in the order in which the interpreter does, in 64 bits, so that the f32 at the end is the interpreter's.
 */

import type { Arithmetic, Extent, Func, OpPart, Window } from "./data";
import { apply, atLeast, atMost, leaky, symbols } from "./functions";
import type { Network, NetworkLayer } from "./load";

/** A number that goes into a cell. */
export interface Term {
  /** Which operand, and where in it; a place outside is padding. */
  operand: number;
  at: [number, number, number];
  padding: boolean;
  x: number;
  /** Its factor, if it has one, and where that is in the filter. */
  weight?: number;
  tap?: [number, number];
  product: number;
  /** Of a max or min: this is the one. */
  won?: boolean;
}

/** A line of the computation after the terms: what is done, in symbols, and what comes out. */
export interface Line {
  what: "sum" | "bias" | "activation" | "mean" | "count" | "max" | "min" | "scale" | "shift" | "exp" | "expsum" | "greatest" | "log" | "energy" | "divisor" | "result" | "combine" | "copy" | "border" | "slope" | "blend" | "productAll" | "squares" | "part";
  text: string;
  value: number;
}

/** A cell, explained. */
export interface Cell {
  at: [number, number, number];
  terms: Term[];
  /** Sums of terms channel by channel, where channels are summed. */
  channels: { channel: number; first: number; count: number; sum: number }[];
  lines: Line[];
  result: number;
  /** What the engine computed. */
  engine: number;
  /** Whether both are the same f32. */
  same: boolean;
}

/** Why a cell cannot be explained: the page does not have some number. */
export class Missing extends Error {}

const need = (x: number | undefined): number => {
  if (x === undefined) throw new Missing();
  return x;
};

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

const inside = (value: Numbers, y: number, x: number) => y >= 0 && x >= 0 && y < value.extent[1] && x < value.extent[2];
const weight = (layer: Made, role: string) => layer.weights.find((one) => one.role === role)?.value;

/** A value that numbers can be asked of: one that the page has, or a part's that is worked out when it is asked for. */
interface Numbers {
  readonly extent: Extent;
  at(c: number, y: number, x: number): number | undefined;
}

/** What a {@link Builder} needs to know of a layer or a part of one. */
interface Made {
  value: Numbers;
  weights: NetworkLayer["weights"];
}

/** Explains the cell of a layer at a channel, row and column. Throws {@link Missing} where the page lacks a number. */
export function explain(network: Network, layer: NetworkLayer, at: [number, number, number]): Cell {
  const operands = layer.operands.map((index) => network.layers[index].value);
  const cell = new Builder(layer, operands, at);
  cell.run(layer.arithmetic);
  return cell.finish();
}

class Builder {
  private readonly terms: Term[] = [];
  private readonly channels: Cell["channels"] = [];
  private readonly lines: Line[] = [];

  constructor(
    private readonly layer: Made,
    private readonly operands: Numbers[],
    private readonly at: [number, number, number],
  ) {}

  finish(): Cell {
    const engine = need(this.layer.value.at(...this.at));
    const last = this.lines.at(-1);
    const result = last ? last.value : engine;
    const same = Object.is(Math.fround(result), engine) || Math.fround(result) === engine;
    return { at: this.at, terms: this.terms, channels: this.channels, lines: this.lines, result, engine, same };
  }

  private line(what: Line["what"], text: string, value: number) {
    this.lines.push({ what, text, value });
    return value;
  }

  /** A term without a factor. */
  private take(operand: number, c: number, y: number, x: number): number {
    const value = need(this.operands[operand].at(c, y, x));
    this.terms.push({ operand, at: [c, y, x], padding: false, x: value, product: value });
    return value;
  }

  /** Copies one element. */
  private copy(operand: number, c: number, y: number, x: number) {
    this.line("copy", "", this.take(operand, c, y, x));
  }

  private activate(activation: Func | null, value: number): number {
    return activation ? this.line("activation", symbols(activation), apply(activation, value)) : value;
  }

  run(arithmetic: Arithmetic) {
    const [c, y, x] = this.at;
    const { extent } = this.layer.value;
    const first = this.operands[0];
    switch (arithmetic.kind) {
      case "input":
      case "constant":
      case "recurrent":
        return;
      case "conv":
        return arithmetic.transposed ? this.transposed(arithmetic) : this.conv(arithmetic);
      case "dense": {
        const [matrix, bias] = [weight(this.layer, "weight")!, weight(this.layer, "bias")];
        let sum = 0;
        const [channels, rows, columns] = first.extent;
        for (let n = 0; n < channels * rows * columns; n++) {
          const at: [number, number, number] = [Math.floor(n / (rows * columns)), Math.floor(n / columns) % rows, n % columns];
          const [value, factor] = [need(first.at(...at)), need(matrix.at(c, n, 0))];
          sum += factor * value;
          this.terms.push({ operand: 0, at, padding: false, x: value, weight: factor, product: factor * value });
        }
        this.line("sum", "Σ x·w", sum);
        if (bias) sum = this.line("bias", "+ b", sum + need(bias.at(c, 0, 0)));
        this.activate(arithmetic.activation, sum);
        return;
      }
      case "pool":
        return this.pool(arithmetic);
      case "global_pool":
      case "adaptive_pool":
        return this.mean(arithmetic);
      case "reduce":
        return this.reduce(arithmetic);
      case "parts":
        return this.parts(arithmetic.parts);
      case "gather":
        return this.copy(0, c, arithmetic.rows[y], arithmetic.columns[x]);
      case "function":
        this.activate(arithmetic.function, this.take(0, c, y, x));
        return;
      case "prelu": {
        const value = this.take(0, c, y, x);
        const slope = need(weight(this.layer, "slope")?.at(c, 0, 0));
        this.line("slope", "x > 0 ? x : a·x", leaky(value, slope));
        return;
      }
      case "softmax":
        return this.softmax(arithmetic.axis, arithmetic.log);
      case "batch_norm": {
        const value = this.take(0, c, y, x);
        const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map((role) =>
          need(weight(this.layer, role)?.at(c, 0, 0)),
        );
        const scale = this.line("scale", "γ / √(σ² + ε)", gamma / Math.sqrt(variance + arithmetic.epsilon));
        const shift = this.line("shift", "β − μ·scale", beta - mean * scale);
        this.activate(arithmetic.activation, this.line("result", "scale·x + shift", scale * value + shift));
        return;
      }
      case "lrn": {
        const below = Math.floor((arithmetic.size - 1) / 2);
        const above = arithmetic.size - 1 - below;
        let energy = 0;
        const last = Math.min(c + above, extent[0] - 1);
        for (let n = Math.max(c - below, 0); n <= last; n++) {
          const value = this.take(0, n, y, x);
          energy += value * value;
          this.terms.at(-1)!.product = value * value;
        }
        const { alpha, beta, k, size } = arithmetic;
        this.line("energy", "Σ x²", energy);
        const divisor = this.line("divisor", "(k + α/n·Σ)^β", (k + (alpha / size) * energy) ** beta);
        this.line("result", "x / divisor", need(first.at(c, y, x)) / divisor);
        return;
      }
      case "combine":
        return this.combine(arithmetic.of, arithmetic.activation);
      case "matmul": {
        const [a, b] = this.operands;
        const spread = (v: Numbers, c: number, y: number, x: number): [number, number, number] => [
          v.extent[0] === 1 ? 0 : c,
          v.extent[1] === 1 ? 0 : y,
          v.extent[2] === 1 ? 0 : x,
        ];
        let sum = 0;
        for (let k = 0; k < a.extent[2]; k++) {
          const [left, right] = [spread(a, c, y, k), spread(b, c, k, x)];
          const [value, factor] = [need(a.at(...left)), need(b.at(...right))];
          sum += value * factor;
          this.terms.push({ operand: 0, at: left, padding: false, x: value, weight: factor, product: value * factor });
        }
        this.line("sum", "Σ a·b", sum);
        return;
      }
      case "concat": {
        let channel = c;
        for (let operand = 0; operand < this.operands.length; operand++) {
          const channels = this.operands[operand].extent[0];
          if (channel < channels) return this.copy(operand, channel, y, x);
          channel -= channels;
        }
        return;
      }
      case "same": {
        const place = (c * extent[1] + y) * extent[2] + x;
        const [, rows, columns] = first.extent;
        return this.copy(0, Math.floor(place / (rows * columns)), Math.floor(place / columns) % rows, place % columns);
      }
      case "pad": {
        const [row, column] = [y - arithmetic.sides[0], x - arithmetic.sides[1]];
        if (inside(first, row, column)) return this.copy(0, c, row, column);
        this.line("border", "border", Number(arithmetic.value));
        return;
      }
      case "blend": {
        const [y0, y1, fy] = arithmetic.rows[y];
        const [x0, x1, fx] = arithmetic.columns[x];
        const across = (row: number) => this.take(0, c, row, x0) * (1 - fx) + this.take(0, c, row, x1) * fx;
        this.line("blend", "Σ x·share", across(y0) * (1 - fy) + across(y1) * fy);
        const shares = [(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy];
        this.terms.forEach((term, i) => {
          term.weight = shares[i];
          term.product = term.x * shares[i];
        });
        return;
      }
      case "slice": {
        const place: [number, number, number] = [c, y, x];
        place[arithmetic.axis] = arithmetic.first + place[arithmetic.axis] * arithmetic.step;
        return this.copy(0, ...place);
      }
      case "transpose": {
        const place: [number, number, number] = [0, 0, 0];
        arithmetic.order.forEach((axis, i) => (place[axis] = this.at[i]));
        return this.copy(0, ...place);
      }
      case "depth_to_space": {
        const { block, sources } = arithmetic;
        const source = sources[(c * block + (y % block)) * block + (x % block)];
        return this.copy(0, source, Math.floor(y / block), Math.floor(x / block));
      }
      case "space_to_depth": {
        const [block, channels] = [arithmetic.block, first.extent[0]];
        const place = Math.floor(c / channels);
        return this.copy(0, c % channels, y * block + Math.floor(place / block), x * block + (place % block));
      }
      case "shuffle": {
        const group = first.extent[0] / arithmetic.groups;
        return this.copy(0, (c % arithmetic.groups) * group + Math.floor(c / arithmetic.groups), y, x);
      }
    }
  }

  private conv({ window: w, groups, activation }: Extract<Arithmetic, { kind: "conv" }>) {
    const [filter, y, x] = this.at;
    const [input, matrix, bias] = [this.operands[0], weight(this.layer, "weight")!, weight(this.layer, "bias")];
    const [insideGroup, outsideGroup] = [input.extent[0] / groups, this.layer.value.extent[0] / groups];
    const places = window(w, y, x);
    let sum = 0;
    for (let i = 0; i < insideGroup; i++) {
      const channel = Math.floor(filter / outsideGroup) * insideGroup + i;
      const first = this.terms.length;
      let own = 0;
      for (const place of places) {
        const factor = need(matrix.at(filter, i, place.tap[0] * w.size[1] + place.tap[1]));
        const seen = inside(input, place.y, place.x);
        const value = seen ? need(input.at(channel, place.y, place.x)) : 0;
        const product = seen ? factor * value : 0;
        sum += product;
        own += product;
        this.terms.push({ operand: 0, at: [channel, place.y, place.x], padding: !seen, x: value, weight: factor, tap: place.tap, product });
      }
      this.channels.push({ channel, first, count: places.length, sum: own });
    }
    this.line("sum", "Σ x·w", sum);
    if (bias) sum = this.line("bias", "+ b", sum + need(bias.at(filter, 0, 0)));
    this.activate(activation, sum);
  }

  private transposed({ window: w, groups, activation }: Extract<Arithmetic, { kind: "conv" }>) {
    const [filter, y, x] = this.at;
    const [input, matrix, bias] = [this.operands[0], weight(this.layer, "weight")!, weight(this.layer, "bias")];
    const [insideGroup, outsideGroup] = [input.extent[0] / groups, this.layer.value.extent[0] / groups];
    const group = Math.floor(filter / outsideGroup);
    let sum = 0;
    for (let channel = group * insideGroup; channel < (group + 1) * insideGroup; channel++) {
      const first = this.terms.length;
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
          this.terms.push({ operand: 0, at: [channel, row, column], padding: false, x: value, weight: factor, tap: [i, j], product: factor * value });
        }
      }
      this.channels.push({ channel, first, count: this.terms.length - first, sum: own });
    }
    this.line("sum", "Σ x·w", sum);
    if (bias) sum = this.line("bias", "+ b", sum + need(bias.at(filter, 0, 0)));
    this.activate(activation, sum);
  }

  private pool({ of, window: w, include_pad }: Extract<Arithmetic, { kind: "pool" }>) {
    const [c, y, x] = this.at;
    const input = this.operands[0];
    let [sum, count, least, greatest] = [0, 0, Infinity, -Infinity];
    for (const place of window(w, y, x)) {
      const seen = inside(input, place.y, place.x);
      const value = seen ? need(input.at(c, place.y, place.x)) : 0;
      this.terms.push({ operand: 0, at: [c, place.y, place.x], padding: !seen, x: value, tap: place.tap, product: value });
      const within = place.y < input.extent[1] + w.sides[2] && place.x < input.extent[2] + w.sides[3];
      if (seen || (include_pad && within)) count++;
      if (!seen) continue;
      sum += value;
      if (Number.isNaN(value)) least = greatest = NaN;
      least = Math.min(least, value);
      greatest = Math.max(greatest, value);
    }
    if (of === "avg") {
      this.line("sum", "Σ x", sum);
      this.line("mean", `Σ / ${count}`, this.terms.some((term) => !term.padding) ? sum / count : 0);
      return;
    }
    const result = of === "max" ? greatest : least;
    const winner = this.terms.find((term) => !term.padding && term.x === result);
    if (winner) winner.won = true;
    this.line(of, `${of}(x)`, result);
  }

  /** Takes all elements of some channels, rows and columns. */
  private takeAll([channels, rows, columns]: [number, number][]) {
    for (let i = channels[0]; i < channels[1]; i++) {
      for (let j = rows[0]; j < rows[1]; j++) {
        for (let k = columns[0]; k < columns[1]; k++) this.take(0, i, j, k);
      }
    }
  }

  private mean(arithmetic: Extract<Arithmetic, { kind: "global_pool" }> | { kind: "adaptive_pool" | string }) {
    const [, rows, columns] = this.operands[0].extent;
    const [c, y, x] = this.at;
    const [, height, width] = this.layer.value.extent;
    const ranges: [number, number][] = [[c, c + 1], [0, rows], [0, columns]];
    if (arithmetic.kind === "adaptive_pool") {
      ranges[1] = [Math.floor((y * rows) / height), Math.ceil(((y + 1) * rows) / height)];
      ranges[2] = [Math.floor((x * columns) / width), Math.ceil(((x + 1) * columns) / width)];
    }
    this.takeAll(ranges);
    this.reduced("of" in arithmetic && arithmetic.of === "max" ? "max" : "mean");
  }

  private reduce({ of, axes }: Extract<Arithmetic, { kind: "reduce" }>) {
    const { extent } = this.operands[0];
    this.takeAll(this.at.map((place, axis) => (axes[axis] ? [0, extent[axis]] : [place, place + 1])));
    this.reduced(of);
  }

  /** What becomes of the terms. */
  private reduced(of: Extract<Arithmetic, { kind: "reduce" }>["of"]) {
    if (of === "max" || of === "min") {
      let best = of === "max" ? -Infinity : Infinity;
      for (const { x } of this.terms) best = Number.isNaN(x) || Number.isNaN(best) ? NaN : of === "max" ? Math.max(best, x) : Math.min(best, x);
      const winner = this.terms.find((term) => Object.is(term.x, best) || term.x === best);
      if (winner) winner.won = true;
      this.line(of, `${of}(x)`, best);
      return;
    }
    if (of === "prod") {
      this.line("productAll", "Π x", this.terms.reduce((product, { x }) => product * x, 1));
      return;
    }
    if (of === "sum_square") for (const term of this.terms) term.product = term.x * term.x;
    const sum = this.terms.reduce((sum, { product }) => sum + product, 0);
    this.line(of === "sum_square" ? "squares" : "sum", of === "sum_square" ? "Σ x²" : "Σ x", sum);
    if (of === "mean") this.line("mean", `Σ / ${this.terms.length}`, sum / this.terms.length);
  }

  /** Simpler operators one after another: what each of them gives on the way to this cell. */
  private parts(parts: OpPart[]) {
    const seen = new Map<string, Term>();
    // The layer's own operands, which note what is asked of them.
    const values: Numbers[] = this.operands.map((operand, index) => ({
      extent: operand.extent,
      at: (c, y, x) => {
        const value = need(operand.at(c, y, x));
        const key = `${index} ${c} ${y} ${x}`;
        if (!seen.has(key)) {
          const won = this.at[0] === c && this.at[1] === y && this.at[2] === x;
          seen.set(key, { operand: index, at: [c, y, x], padding: false, x: value, product: value, won });
        }
        return value;
      },
    }));
    const builders = parts.map((part, index) => (at: [number, number, number]) => {
      const operands = part.operands.map((operand) => values[operand]);
      const builder = new Builder({ value: values[this.operands.length + index], weights: this.layer.weights }, operands, at);
      builder.run(part.arithmetic);
      return builder;
    });
    parts.forEach((part, index) => {
      const known = new Map<number, number>();
      const [channels, rows, columns] = part.extent;
      const stored = part.weight === null ? undefined : weight(this.layer, part.weight);
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
        lines.set(index, { what: "part", text: part.name, value: need(values[this.operands.length + index].at(...at)) });
        return;
      }
      const builder = builders[index](at);
      const last = builder.lines.at(-1)!;
      const names = part.operands.map((operand) => (operand < this.operands.length ? "x" : parts[operand - this.operands.length].name));
      lines.set(index, { what: "part", text: `${part.name || "y"} = ${part.op}(${names.join(", ")})`, value: last.value });
      part.operands.forEach((operand, slot) => {
        const own = builder.terms.filter((term) => term.operand === slot);
        if (operand >= this.operands.length && own.length === 1) follow(operand - this.operands.length, own[0].at);
        // All of one: what it is made of is a part of its own at many places, and shown by the terms.
      });
    };
    follow(parts.length - 1, this.at);
    [...lines].sort(([a], [b]) => a - b).forEach(([, line]) => this.lines.push(line));
    this.terms.push(...seen.values());
  }

  private softmax(axis: number, log: boolean) {
    const size = this.operands[0].extent[axis];
    let greatest = -Infinity;
    for (let i = 0; i < size; i++) {
      const place: [number, number, number] = [...this.at];
      place[axis] = i;
      const value = this.take(0, ...place);
      greatest = Math.max(greatest, value);
    }
    let sum = 0;
    for (const term of this.terms) {
      term.product = Math.exp(term.x - greatest);
      sum += term.product;
    }
    const own = this.terms[this.at[axis]];
    own.won = true;
    this.line("greatest", "max(x)", greatest);
    if (log) {
      const total = this.line("log", "ln Σ e^(x − max)", Math.log(sum));
      this.line("result", "x − max − ln Σ", own.x - greatest - total);
      return;
    }
    this.line("exp", "e^(x − max)", own.product);
    this.line("expsum", "Σ e^(x − max)", sum);
    this.line("result", "e^(x − max) / Σ", own.product / sum);
  }

  private combine(of: string, activation: Func | null) {
    const [c, y, x] = this.at;
    let result: number | undefined;
    this.operands.forEach((operand, index) => {
      const [channels, rows, columns] = operand.extent;
      const value = this.take(index, channels === 1 ? 0 : c, rows === 1 ? 0 : y, columns === 1 ? 0 : x);
      if (result === undefined) result = value;
      else if (of === "add") result += value;
      else if (of === "mul") result *= value;
      else if (of === "sub") result -= value;
      else if (of === "div") result /= value;
      else if (of === "max") result = Number.isNaN(value) ? value : atLeast(result, value);
      else result = Number.isNaN(value) ? value : atMost(result, value);
    });
    const sign = { add: " + ", mul: " · ", sub: " − ", div: " / ", max: ", ", min: ", " }[of] ?? " ";
    const names = this.operands.map((_, i) => "abcdefghij"[i] ?? `x${i}`).join(sign);
    this.activate(activation, this.line("combine", of === "max" || of === "min" ? `${of}(${names})` : names, result ?? 0));
  }
}
