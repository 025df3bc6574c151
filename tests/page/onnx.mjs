// A tiny ONNX file whose names try to be HTML, written by hand: x → Relu → Relu → y.

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
const node = (name, input, output) => bytes(field(1, input), field(2, output), field(3, name), field(4, "Relu"));

/** The file's bytes; `name` is what its layers are called. */
export function hostile(name) {
  const graph = bytes(
    field(1, node(name, "x", `${name}1`)),
    field(1, node(`${name}2`, `${name}1`, "y")),
    field(2, name),
    field(11, value("x", [1, 1, 8, 8])),
    field(12, value("y", [1, 1, 8, 8])),
  );
  return bytes(integer(1, 8), field(7, graph), field(8, integer(2, 17)));
}
