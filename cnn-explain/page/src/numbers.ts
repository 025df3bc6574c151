/** Numbers and shapes for people. */

import type { Integers } from "./data";

/** An f32 with as many digits as it has, and no more: the shortest decimal that reads back as it. */
export function exact(x: number | undefined): string {
  if (x === undefined) return "?";
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? "−∞" : "∞";
  return plain(shortest(x));
}

/** The shortest decimal that an f32 can be read back from. */
export function shortest(x: number): string {
  const f = Math.fround(x);
  if (f === 0) return "0";
  for (let digits = 1; digits < 9; digits++) {
    const text = f.toPrecision(digits);
    if (Math.fround(Number(text)) === f) return text;
  }
  return f.toPrecision(9);
}

/** What an integer of a value stands for, in symbols. */
export function meaning({ scale, zero_point }: Integers): string {
  const factor = exact(scale);
  return zero_point ? `${factor}·(q − ${zero_point})` : `${factor}·q`;
}

/** A number to a few digits, for cells and labels. */
export function short(x: number | undefined, digits = 3): string {
  if (x === undefined) return "?";
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x < 0 ? "−∞" : "∞";
  if (x === 0) return "0";
  return plain(x.toPrecision(digits));
}

/** Without trailing zeros and `e`, with a true minus. */
function plain(text: string): string {
  const [mantissa, exponent] = Number(text).toString().split("e");
  const number = mantissa.replace("-", "−");
  return exponent ? `${number}·10${superscript(exponent)}` : number;
}

function superscript(digits: string): string {
  return [...digits.replace("+", "")].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]).join("");
}

/** `61,706` */
export function grouped(n: number): string {
  return Math.round(n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A product as the program writes it, its result grouped: `(28×28)×(5×5)×6 = 117,600`. */
export function resolved(product: string): string {
  return product.replace(/\d+$/, (digits) => grouped(Number(digits)));
}

/** `1.2 MiB` */
export function bytes(n: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let unit = 0;
  while (n >= 1024 && unit < 3) {
    n /= 1024;
    unit++;
  }
  return `${unit ? n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0) : n} ${units[unit]}`;
}

/** `6 × 28 × 28` */
export function dims(shape: readonly number[]): string {
  return shape.join(" × ");
}

/** Milliseconds with a unit that suits them. */
export function duration(ms: number): string {
  if (ms < 1) return `${short(ms * 1000)} µs`;
  return ms < 1000 ? `${short(ms)} ms` : `${short(ms / 1000)} s`;
}

/** `12.4 M` */
export function large(n: number): string {
  const units: [number, string][] = [[1e9, " G"], [1e6, " M"], [1e3, " k"]];
  for (const [size, unit] of units) if (n >= size) return short(n / size) + unit;
  return String(n);
}
