/** What the program tells the page: the counterpart of `cnn-explain/src/data.rs`. */

export interface Blob { at: number; count: number }
export type Extent = [number, number, number];
export interface Part { at: Extent; size: Extent; blob: Blob }
export interface Picture { channels: number; size: [number, number]; scale: number; blob: Blob; ranges: Blob }
export interface Stored { extent: Extent; range: [number, number]; parts: Part[]; picture: Picture | null }

export interface Window {
  size: [number, number];
  stride: [number, number];
  dilation: [number, number];
  /** Top, left, bottom, right. */
  sides: [number, number, number, number];
}
export interface Func { name: string; parameters: [number | null, number | null] }
/** What 8-bit integers stand for: `scale · (q − zero_point)`. */
export interface Integers { scale: number; zero_point: number }
/** How a whole sum of products of integers becomes an integer again. */
export interface Rescaled { from: Integers; to: Integers; bounds: [number, number] }
export type Tap = [first: number, second: number, share: number];

export type Arithmetic =
  | { kind: "input" | "constant" }
  | { kind: "adaptive_pool" }
  | { kind: "prelu" | "matmul" }
  | { kind: "concat" | "same" }
  | { kind: "conv"; window: Window; groups: number; transposed: boolean; activation: Func | null; integers: Rescaled | null }
  | { kind: "arg_extreme"; of: "max" | "min"; axis: number; last: boolean }
  | { kind: "top_k"; axis: number; largest: boolean; indices: boolean }
  | { kind: "cumsum"; axis: number; exclusive: boolean; reverse: boolean }
  | { kind: "gather_along"; axis: number; places: Extent }
  | { kind: "tile" }
  | { kind: "quantize"; to: Integers }
  | { kind: "dequantize"; from: Integers }
  | { kind: "quantized_add"; from: [Integers, Integers]; to: Integers; bounds: [number, number] }
  | { kind: "recurrent"; cell: "lstm" | "gru"; reset_after: boolean; units: number; directions: boolean[] }
  | { kind: "dense"; activation: Func | null; integers: Rescaled | null }
  | { kind: "pool"; of: "max" | "min" | "avg"; window: Window; include_pad: boolean }
  | { kind: "global_pool"; of: "max" | "avg" }
  | { kind: "reduce"; of: "mean" | "sum" | "max" | "min" | "prod" | "sum_square"; axes: [boolean, boolean, boolean] }
  | { kind: "function"; function: Func }
  | { kind: "softmax"; axis: number; log: boolean }
  | { kind: "batch_norm"; epsilon: number; activation: Func | null }
  | { kind: "lrn"; size: number; alpha: number; beta: number; k: number }
  | { kind: "combine"; of: "add" | "mul" | "sub" | "div" | "max" | "min" | "equal" | "greater" | "greater_equal" | "where"; activation: Func | null }
  | { kind: "pad"; sides: [number, number, number, number]; value: number | string }
  | { kind: "gather"; rows: number[]; columns: number[] }
  | { kind: "parts"; parts: OpPart[] }
  | { kind: "blend"; rows: Tap[]; columns: Tap[] }
  | { kind: "slice"; axis: number; first: number; step: number }
  | { kind: "transpose"; order: Extent }
  | { kind: "depth_to_space"; block: number; sources: number[] }
  | { kind: "space_to_depth"; block: number }
  | { kind: "shuffle"; groups: number };

/** One of the simpler operators that an operator is; operands are first the layer's, then the parts. */
export interface OpPart { name: string; op: string; operands: number[]; extent: Extent; arithmetic: Arithmetic; weight: string | null }

export interface Cost {
  name: string;
  op: string;
  operands: number[];
  shape: number[];
  formula: string;
  parameters: number;
  multiplications: number;
  product: string;
  bytes: number;
}
export interface WeightTensor { role: string; name: string; shape: number[]; value: Stored }
export interface Layer extends Cost {
  word: string;
  keys: [string, string][];
  path: string[];
  lines: [number, number] | null;
  arithmetic: Arithmetic;
  /** What its elements stand for, if they are 8-bit integers. */
  integers: Integers | null;
  weights: WeightTensor[];
  value: Stored;
  /** What an LSTM remembers after each step. */
  memory: Stored | null;
}
export interface Totals { parameters: number; multiplications: number; value_bytes: number; weight_bytes: number }
export interface Outline { name: string; layers: Cost[]; paths: string[][]; totals: Totals }
export interface Origin { kind: "own" | "file" | "random" | "card" | "drawn" | "none"; text: string }

export interface DiffLine { sign: "+" | "-" | " "; text: string }
export interface PassStep {
  pass: string;
  lesson: string;
  notes: { layer: string; text: string; refused: boolean }[];
  hunks: DiffLine[][];
  layers: [number, number];
}
export interface FusedNode { name: string; text: string; op: string; shape: number[]; operands: number[]; covers: number[] }
export interface PlanStep {
  layer: string;
  op: string;
  kernel: string;
  why: string;
  multiplications: number;
  bytes: number;
  reads: number[];
  writes: number;
  recipes: string[];
  code: number;
  tasks: number;
  ms: number | null;
}
export interface PlanBuffer {
  name: string;
  shape: number[];
  layout: string;
  bytes: number;
  offset: number | null;
  life: [number, number] | null;
}
/** A text, and for each of its lines the line of the loop code it came from, from 1; 0 if from none, nothing if unknown. */
export interface CodeText { text: string; lines: number[] }
export interface Code { name: string; loops: string[]; clif: CodeText; asm: CodeText }
export interface Planned {
  target: string;
  arena: number;
  bound: number;
  constants: number;
  /** Floating-point operations and bytes a second. */
  roofs: [number, number] | null;
  threads: number;
  steps: PlanStep[];
  buffers: PlanBuffer[];
  code: Code[];
}
export interface Compiler { steps: PassStep[]; fused: FusedNode[]; planned: Planned }

export interface Data {
  generator: string;
  name: string;
  about: string;
  source: { name: string; text: string };
  weights: Origin;
  input: Origin;
  labels: string[];
  layers: Layer[];
  outputs: { name: string; layer: number }[];
  totals: Totals;
  reduced: boolean;
  compiler: Compiler | null;
  beside: Outline | null;
  course: { lessons: { key: string; data: Data; at: number }[]; outlines: Outline[] } | null;
}
