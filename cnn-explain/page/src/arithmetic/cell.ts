/** A cell's arithmetic as data, and the builder that collects it. */

import type { Extent, Func } from "../data";
import { apply, symbols } from "../functions";
import type { NetworkLayer } from "../load";

/** A number that goes into a cell. */
export interface Term {
  /** Which operand, or {@link OWN}, and where in it; a place outside is padding. */
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
  what: "sum" | "bias" | "activation" | "mean" | "count" | "max" | "min" | "scale" | "shift" | "exp" | "expsum" | "greatest" | "log" | "energy" | "divisor" | "result" | "combine" | "copy" | "border" | "slope" | "blend" | "productAll" | "squares" | "part" | "remembered" | "state" | "learnt" | "rounded" | "place" | "ranked" | "absent";
  text: string;
  value: number;
}

/** The operand that is the layer's own result, of another step. */
export const OWN = -1;

/** A gate of a recurrent layer's cell: sums of products with a step's features and with the state before it. */
export interface Gate {
  name: string;
  /** Its products among the cell's terms. */
  first: number;
  count: number;
  /** Products with the features and their bias, and with the state. */
  features: number;
  state: number;
  /** What becomes of both, in symbols. */
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
  /** A recurrent layer's gates. */
  gates: Gate[];
  result: number;
  /** What the engine computed. */
  engine: number;
  /** Whether both are the same f32. */
  same: boolean;
}

/** Why a cell cannot be explained: the page does not have some number. */
export class Missing extends Error {}

export const need = (x: number | undefined): number => {
  if (x === undefined) throw new Missing();
  return x;
};

/** A value that numbers can be asked of: one that the page has, or a part's that is worked out when it is asked for. */
export interface Numbers {
  readonly extent: Extent;
  at(c: number, y: number, x: number): number | undefined;
}

/** What a {@link Builder} needs to know of a layer or a part of one. */
export interface Made {
  value: Numbers;
  weights: NetworkLayer["weights"];
  /** What an LSTM remembers after each step. */
  memory?: Numbers | null;
}

/** Collects a cell's terms and lines. */
export class Builder {
  readonly terms: Term[] = [];
  readonly channels: Cell["channels"] = [];
  readonly lines: Line[] = [];
  readonly gates: Gate[] = [];

  constructor(
    readonly layer: Made,
    readonly operands: Numbers[],
    readonly at: [number, number, number],
  ) {}

  finish(): Cell {
    const engine = need(this.layer.value.at(...this.at));
    const last = this.lines.at(-1);
    const result = last ? last.value : engine;
    const same = Object.is(Math.fround(result), engine) || Math.fround(result) === engine;
    return { at: this.at, terms: this.terms, channels: this.channels, lines: this.lines, gates: this.gates, result, engine, same };
  }

  /** The layer's tensor of that role. */
  weight(role: string): Numbers | undefined {
    return this.layer.weights.find((one) => one.role === role)?.value;
  }

  line(what: Line["what"], text: string, value: number) {
    this.lines.push({ what, text, value });
    return value;
  }

  /** A term without a factor. */
  take(operand: number, c: number, y: number, x: number): number {
    const value = need(this.operands[operand].at(c, y, x));
    this.terms.push({ operand, at: [c, y, x], padding: false, x: value, product: value });
    return value;
  }

  /** Copies one element. */
  copy(operand: number, c: number, y: number, x: number) {
    this.line("copy", "", this.take(operand, c, y, x));
  }

  activate(activation: Func | null, value: number): number {
    return activation ? this.line("activation", symbols(activation), apply(activation, value)) : value;
  }
}
