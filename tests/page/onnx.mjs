// Tiny ONNX files, written by hand: one whose names try to be HTML, one that is quantised.

const bytes = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const varint = (n) => {
  const out = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) + 128);
  return [...out, n];
};
const field = (number, content) => {
  const inside = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return bytes(varint(number * 8 + 2), varint(inside.length), inside);
};
const integer = (number, value) => bytes(varint(number * 8), varint(value));

const value = (name, dims) => {
  const shape = bytes(...dims.map((dim) => field(1, integer(1, dim))));
  return bytes(field(1, name), field(2, field(1, bytes(integer(1, 1), field(2, shape)))));
};
const node = (op, inputs, output, { name = output, attributes = [] } = {}) =>
  bytes(...inputs.map((input) => field(1, input)), field(2, output), field(3, name), field(4, op), ...attributes.map((one) => field(5, one)));
/** An attribute of integers. */
const integers = (name, values) => bytes(field(1, name), ...values.map((one) => integer(8, one)), integer(20, 7));
const [FLOAT, UINT8, INT8, INT32] = [1, 2, 3, 6];
/** An initializer; `data` is a typed array. */
const tensor = (name, type, dims, data) => bytes(...dims.map((dim) => integer(1, dim)), integer(2, type), field(8, name), field(9, new Uint8Array(data.buffer)));
const model = (graph, opset) => bytes(integer(1, 8), field(7, graph), field(8, integer(2, opset)));

/** x → Relu → Relu → y; `name` is what its layers are called. */
export function hostile(name) {
  const graph = bytes(
    field(1, node("Relu", ["x"], `${name}1`, { name })),
    field(1, node("Relu", [`${name}1`], "y", { name: `${name}2` })),
    field(2, name),
    field(11, value("x", [1, 1, 8, 8])),
    field(12, value("y", [1, 1, 8, 8])),
  );
  return model(graph, 17);
}

/** A convolution and a maximum of 8-bit integers between QuantizeLinear and DequantizeLinear, as ONNX Runtime writes them. */
export function quantised() {
  const scalar = (name, type, data) => field(5, tensor(name, type, [], data));
  const weights = Int8Array.from({ length: 4 * 2 * 9 }, (_, i) => ((i * 73) % 255) - 127);
  const graph = bytes(
    field(1, node("QuantizeLinear", ["x", "sx", "zx"], "xq")),
    field(1, node("DequantizeLinear", ["xq", "sx", "zx"], "xd")),
    field(1, node("DequantizeLinear", ["w", "sw", "zw"], "wd")),
    field(1, node("DequantizeLinear", ["b", "sb", "zb"], "bd")),
    field(1, node("Conv", ["xd", "wd", "bd"], "c", { attributes: [integers("pads", [1, 1, 1, 1])] })),
    field(1, node("Relu", ["c"], "r")),
    field(1, node("QuantizeLinear", ["r", "sr", "zr"], "rq")),
    field(1, node("DequantizeLinear", ["rq", "sr", "zr"], "rd")),
    field(1, node("MaxPool", ["rd"], "y", { attributes: [integers("kernel_shape", [2, 2]), integers("strides", [2, 2])] })),
    field(2, "quantised"),
    scalar("sx", FLOAT, Float32Array.of(0.011)), scalar("zx", UINT8, Uint8Array.of(7)),
    scalar("sw", FLOAT, Float32Array.of(0.004)), scalar("zw", INT8, Int8Array.of(0)),
    scalar("sb", FLOAT, Float32Array.of(0.011 * 0.004)), scalar("zb", INT32, Int32Array.of(0)),
    scalar("sr", FLOAT, Float32Array.of(0.013)), scalar("zr", UINT8, Uint8Array.of(0)),
    field(5, tensor("w", INT8, [4, 2, 3, 3], weights)),
    field(5, tensor("b", INT32, [4], Int32Array.of(0, 900, -1200, 2500))),
    field(11, value("x", [1, 2, 12, 12])),
    field(12, value("y", [1, 4, 6, 6])),
  );
  return model(graph, 17);
}
