/** Colours of numbers: cool below zero, warm above, the paper at zero. */

export type Rgb = [number, number, number];

const dark = () => document.documentElement.dataset.theme === "dark";

const LIGHT: [Rgb, Rgb, Rgb] = [[24, 82, 170], [248, 248, 246], [188, 76, 10]];
const DARK: [Rgb, Rgb, Rgb] = [[118, 174, 250], [30, 34, 39], [248, 158, 84]];

/** The colour of a number whose largest companion has the magnitude `scale`. */
export function signed(x: number, scale: number): Rgb {
  const [cool, paper, warm] = dark() ? DARK : LIGHT;
  if (Number.isNaN(x)) return [200, 0, 200];
  const share = scale > 0 ? Math.max(-1, Math.min(1, x / scale)) : 0;
  const end = share < 0 ? cool : warm;
  const s = Math.abs(share) ** 0.85;
  return [0, 1, 2].map((i) => Math.round(paper[i] + (end[i] - paper[i]) * s)) as Rgb;
}

/** The grey of a number between two others. */
export function grey(x: number, [least, greatest]: [number, number]): Rgb {
  const share = greatest > least ? (x - least) / (greatest - least) : 0;
  const value = Math.round(Math.max(0, Math.min(1, share)) * 255);
  return [value, value, value];
}

/** Black or white: what is easier to read on a colour (by the contrast ratio of WCAG 2). */
export function ink(colour: Rgb): string {
  const [r, g, b] = colour.map((part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}

/** Background and text colour of a number's cell. */
export function tint(x: number, scale: number): { background: string; color: string } {
  const colour = signed(x, scale);
  return { background: `rgb(${colour.join()})`, color: ink(colour) };
}

/** The colour of an operator's family, as a CSS variable. */
export function family(word: string): string {
  if (word === "input" || word === "constant") return "var(--io)";
  if (word.startsWith("conv")) return "var(--conv)";
  if (word === "dense" || word === "matmul") return "var(--dense)";
  if (word.includes("pool") || word.startsWith("reduce")) return "var(--pool)";
  if (word.endsWith("norm") || word === "l2_normalize" || word === "lrn") return "var(--norm)";
  if (["add", "mul", "sub", "div", "concat", "max", "min"].includes(word)) return "var(--join)";
  const moves = ["flatten", "reshape", "pad", "upsample", "resize", "slice", "transpose", "dropout", "identity", "channel_shuffle", "depth_to_space", "space_to_depth"];
  return moves.includes(word) ? "var(--move)" : "var(--act)";
}
