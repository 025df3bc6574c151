/** The reader's convolution in the words of PyTorch, TensorFlow and TOML. */

import type { Func, Window } from "./data";
import { symbols } from "./functions";
import type { Network, NetworkLayer } from "./load";
import { shortest } from "./numbers";

/** A function's call in PyTorch and TensorFlow; where one has none, its formula. */
function applied(f: Func): [torch: string, tensorflow: string] {
  const [a, b] = f.parameters.map((p) => p && Number(shortest(p)));
  const own = `# ${symbols(f)}`;
  const named = (torch: string, tensorflow: string): [string, string] => [`x = ${torch}`, `x = ${tensorflow}`];
  switch (f.name) {
    case "relu": return named("torch.relu(x)", "tf.nn.relu(x)");
    case "relu6": return named("torch.nn.functional.relu6(x)", "tf.nn.relu6(x)");
    case "tanh": return named("torch.tanh(x)", "tf.nn.tanh(x)");
    case "sigmoid": return named("torch.sigmoid(x)", "tf.nn.sigmoid(x)");
    case "silu": return named("torch.nn.functional.silu(x)", "tf.nn.silu(x)");
    case "gelu": return a ? named('torch.nn.functional.gelu(x, approximate="tanh")', "tf.nn.gelu(x, approximate=True)") : named("torch.nn.functional.gelu(x)", "tf.nn.gelu(x, approximate=False)");
    case "hard_sigmoid_6": return named("torch.nn.functional.hardsigmoid(x)", "tf.nn.relu6(x + 3) / 6");
    case "hard_swish": return named("torch.nn.functional.hardswish(x)", "x * tf.nn.relu6(x + 3) / 6");
    case "softplus": return named("torch.nn.functional.softplus(x)", "tf.nn.softplus(x)");
    case "leaky_relu": return named(`torch.nn.functional.leaky_relu(x, ${a})`, `tf.nn.leaky_relu(x, ${a})`);
    case "elu": return named(`torch.nn.functional.elu(x, ${a})`, a === 1 ? "tf.nn.elu(x)" : `tf.where(x > 0, x, ${a} * tf.math.expm1(x))`);
    case "selu": return named("torch.selu(x)", "tf.nn.selu(x)");
    case "clip": return named(`torch.clamp(x, ${a ?? "None"}, ${b ?? "None"})`, `tf.clip_by_value(x, ${a ?? '-float("inf")'}, ${b ?? 'float("inf")'})`);
    case "mish": return named("torch.nn.functional.mish(x)", "x * tf.math.tanh(tf.nn.softplus(x))");
    case "celu": return named(`torch.celu(x, ${a})`, `tf.where(x > 0, x, ${a} * tf.math.expm1(x / ${a}))`);
    case "softsign": return named("torch.nn.functional.softsign(x)", "tf.nn.softsign(x)");
    case "abs": return named("torch.abs(x)", "tf.abs(x)");
    case "exp": return named("torch.exp(x)", "tf.exp(x)");
    case "sqrt": return named("torch.sqrt(x)", "tf.sqrt(x)");
    case "erf": return named("torch.erf(x)", "tf.math.erf(x)");
    default: return [own, own];
  }
}

const pair = ([h, w]: number[]) => (h === w ? String(h) : `(${h}, ${w})`);

/** Whether padding is what TensorFlow calls SAME. */
function isSame({ size, stride, dilation, sides: [top, left, bottom, right] }: Window, input: readonly number[]): boolean {
  const wanted = [0, 1].map((axis) => {
    const n = input[axis + 1];
    return Math.max((Math.ceil(n / stride[axis]) - 1) * stride[axis] + dilation[axis] * (size[axis] - 1) + 1 - n, 0);
  });
  return top + bottom === wanted[0] && left + right === wanted[1] && top === Math.floor(wanted[0] / 2) && left === Math.floor(wanted[1] / 2);
}

/** A layer that these calls can say: a convolution of real numbers. */
export const sayable = ({ arithmetic }: NetworkLayer) => arithmetic.kind === "conv" && !arithmetic.transposed && !arithmetic.integers;

export function calls(network: Network, layer: NetworkLayer): { torch: string; tensorflow: string; toml: string } {
  const toml = `[[layer]]\nname = ${JSON.stringify(layer.name)}\nop = ${JSON.stringify(layer.word)}\n${layer.keys.map(([key, value]) => `${key} = ${value}`).join("\n")}`;
  if (layer.arithmetic.kind !== "conv") return { torch: "", tensorflow: "", toml };
  const { window, groups: grouping, activation } = layer.arithmetic;
  const input = network.layers[layer.operands[0]].value.extent;
  const bias = layer.weights.some((one) => one.role === "bias");
  const [top, left, bottom, right] = window.sides;
  const even = top === bottom && left === right;
  const torchArguments = [
    `${input[0]}, ${layer.value.extent[0]}, kernel_size=${pair(window.size)}`,
    pair(window.stride) !== "1" && `stride=${pair(window.stride)}`,
    even && top + left > 0 && `padding=${pair([top, left])}`,
    pair(window.dilation) !== "1" && `dilation=${pair(window.dilation)}`,
    grouping > 1 && `groups=${grouping}`,
    !bias && "bias=False",
  ].filter(Boolean);
  const before = even ? "" : `x = torch.nn.functional.pad(x, (${left}, ${right}, ${top}, ${bottom}))  # left, right, top, bottom\n`;
  const name = layer.name.replace(/\W/g, "_");
  const after = activation ? applied(activation).map((call) => `\n${call}`) : ["", ""];
  const shape = `[${window.size.join(", ")}, ${layer.weights[0]?.shape[1]}, ${layer.value.extent[0]}]`;
  const padding = top + left + bottom + right === 0 ? '"VALID"' : isSame(window, input) ? '"SAME"' : `[[0, 0], [${top}, ${bottom}], [${left}, ${right}], [0, 0]]`;
  const dilation = pair(window.dilation) === "1" ? "" : `, dilations=${pair(window.dilation)}`;
  return {
    torch: `${before}${name} = torch.nn.Conv2d(${torchArguments.join(", ")})\nx = ${name}(x)  # [N, ${input.join(", ")}] → [N, ${layer.shape.join(", ")}]${after[0]}`,
    tensorflow: `# w: ${shape}\nx = tf.nn.conv2d(x, w, strides=${pair(window.stride)}, padding=${padding}${dilation})${bias ? "\nx = tf.nn.bias_add(x, b)" : ""}${after[1]}\n# [N, ${input[1]}, ${input[2]}, ${input[0]}] → [N, ${[...layer.shape.slice(1), layer.shape[0]].join(", ")}]`,
    toml,
  };
}
