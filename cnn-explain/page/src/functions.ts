/** Functions of one element, as the interpreter computes them and in symbols. */

import type { Func } from "./data";
import { exact } from "./numbers";

const parameter = (x: number | null, otherwise: number) => (x === null ? otherwise : x);
export const atLeast = (x: number, bound: number) => (x < bound ? bound : x);
export const atMost = (x: number, bound: number) => (x > bound ? bound : x);
export const leaky = (x: number, slope: number) => (x > 0 ? x : slope * x);

/** The nearest whole number, the even one of two. */
export function nearestEven(x: number): number {
  const down = Math.floor(x);
  const half = x - down;
  return half < 0.5 || (half === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** The error function: its series near 0, its continued fraction far away. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let [sum, term] = [a, a];
    for (let n = 1; Math.abs(term) > 1e-18 * sum && n < 100; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = a;
  for (let n = 60; n > 0; n--) fraction = a + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / fraction);
}

/** A function of one element, as the interpreter writes it. */
export function apply(f: Func, x: number): number {
  const [a, b] = f.parameters;
  switch (f.name) {
    case "relu": return atLeast(x, 0);
    case "relu6": return atMost(atLeast(x, 0), 6);
    case "tanh": return Math.tanh(x);
    case "sigmoid": return 1 / (1 + Math.exp(-x));
    case "silu": return x / (1 + Math.exp(-x));
    case "gelu":
      return a
        ? (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : (x / 2) * (1 + erf(x * Math.SQRT1_2));
    case "hard_sigmoid_6": return atMost(atLeast(x + 3, 0), 6) / 6;
    case "hard_sigmoid": return atMost(atLeast(parameter(a, 0) * x + parameter(b, 0), 0), 1);
    case "hard_swish": return (x * atMost(atLeast(x + 3, 0), 6)) / 6;
    case "softplus": return x > 20 ? x : Math.log1p(Math.exp(x));
    case "leaky_relu": return leaky(x, parameter(a, 0));
    case "elu": return x > 0 ? x : parameter(a, 1) * Math.expm1(x);
    case "selu": return 1.0507009873554804934193349852946 * (x > 0 ? x : 1.6732632423543772848170429916717 * Math.expm1(x));
    case "clip": return atMost(atLeast(x, parameter(a, -Infinity)), parameter(b, Infinity));
    case "mish": return x * Math.tanh(Math.log1p(Math.exp(x)));
    case "celu": return x > 0 ? x : parameter(a, 1) * Math.expm1(x / parameter(a, 1));
    case "softsign": return x / (1 + Math.abs(x));
    case "thresholded_relu": return x <= parameter(a, 1) ? 0 : x;
    case "shrink": {
      const [lambda, bias] = [parameter(a, Infinity), parameter(b, 0)];
      return x < -lambda ? x + bias : x > lambda ? x - bias : x * 0;
    }
    case "affine": return parameter(a, Infinity) * x + parameter(b, Infinity);
    case "exp": return Math.exp(x);
    case "log": return Math.log(x);
    case "sqrt": return Math.sqrt(x);
    case "reciprocal": return 1 / x;
    case "pow": return x ** parameter(a, Infinity);
    case "abs": return Math.abs(x);
    case "sign": return x > 0 ? 1 : x < 0 ? -1 : 0;
    case "erf": return Number.isNaN(x) ? x : erf(x);
    case "floor": return Math.floor(x);
    case "ceil": return Math.ceil(x);
    case "round": return nearestEven(x);
    default: return NaN;
  }
}

/** A function in symbols. */
export function symbols(f: Func, x = "x"): string {
  const [a, b] = f.parameters.map((p) => (p === null ? "∞" : exact(p)));
  switch (f.name) {
    case "relu": return `max(${x}, 0)`;
    case "relu6": return `min(max(${x}, 0), 6)`;
    case "tanh": return `tanh(${x})`;
    case "sigmoid": return `1 / (1 + e^−${x})`;
    case "silu": return `${x} / (1 + e^−${x})`;
    case "gelu": return f.parameters[0] ? `½·${x}·(1 + tanh(√(2/π)·(${x} + 0.044715·${x}³)))` : `½·${x}·(1 + erf(${x}/√2))`;
    case "hard_sigmoid_6": return `min(max(${x} + 3, 0), 6) / 6`;
    case "hard_sigmoid": return `min(max(${a}·${x} + ${b}, 0), 1)`;
    case "hard_swish": return `${x}·min(max(${x} + 3, 0), 6) / 6`;
    case "softplus": return `ln(1 + e^${x})`;
    case "leaky_relu": return `${x} > 0 ? ${x} : ${a}·${x}`;
    case "elu": return `${x} > 0 ? ${x} : ${a}·(e^${x} − 1)`;
    case "selu": return `λ·(${x} > 0 ? ${x} : α·(e^${x} − 1))`;
    case "clip": return `min(max(${x}, ${a === "∞" ? "−∞" : a}), ${b})`;
    case "mish": return `${x}·tanh(ln(1 + e^${x}))`;
    case "celu": return `${x} > 0 ? ${x} : ${a}·(e^(${x}/${a}) − 1)`;
    case "softsign": return `${x} / (1 + |${x}|)`;
    case "thresholded_relu": return `${x} > ${a} ? ${x} : 0`;
    case "shrink": return `|${x}| > ${a} ? ${x} ∓ ${b} : 0`;
    case "affine": return `${a}·${x} + ${b}`;
    case "exp": return `e^${x}`;
    case "log": return `ln ${x}`;
    case "sqrt": return `√${x}`;
    case "reciprocal": return `1 / ${x}`;
    case "pow": return `${x}^${a}`;
    case "abs": return `|${x}|`;
    default: return `${f.name}(${x})`;
  }
}
