/** From the packed data to a network whose numbers can be asked for. */

import type { Blob, Data, Extent, Layer, Stored, WeightTensor } from "./data";

/** A value of the network: exact numbers as far as the page has them, and pictures. */
export class Value {
  readonly extent: Extent;
  readonly range: [number, number];
  readonly whole: boolean;
  readonly pictures: number;
  private readonly parts: { at: Extent; size: Extent; numbers: Float32Array }[];
  private readonly picture: { size: [number, number]; scale: number; pixels: Uint8Array; ranges: Float32Array } | null;

  /** `zero` is the element that stands for 0: of integers their zero point. */
  constructor(stored: Stored, numbers: ArrayBuffer, readonly zero = 0) {
    const floats = (blob: Blob) => new Float32Array(numbers, blob.at, blob.count);
    this.extent = stored.extent;
    this.range = stored.range;
    this.parts = stored.parts.map((part) => ({ at: part.at, size: part.size, numbers: floats(part.blob) }));
    const count = stored.extent[0] * stored.extent[1] * stored.extent[2];
    this.whole = this.parts.length === 1 && this.parts[0].numbers.length === count;
    const picture = stored.picture;
    this.picture = picture && {
      size: picture.size,
      scale: picture.scale,
      pixels: new Uint8Array(numbers, picture.blob.at, picture.blob.count),
      ranges: floats(picture.ranges),
    };
    this.pictures = this.whole ? this.extent[0] : picture ? picture.channels : this.parts.length ? this.parts[0].size[0] : 0;
  }

  /** The element, `undefined` if the page does not have it. */
  at(c: number, y: number, x: number): number | undefined {
    for (const { at, size, numbers } of this.parts) {
      const [i, j, k] = [c - at[0], y - at[1], x - at[2]];
      if (i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2]) {
        return numbers[(i * size[1] + j) * size[2] + k];
      }
    }
    return undefined;
  }

  /** How far the element that is farthest from zero is from it. */
  get reach(): number {
    return Math.max(Math.abs(this.range[0] - this.zero), Math.abs(this.range[1] - this.zero));
  }

  /** All elements, if the page has them. */
  all(): Float32Array | undefined {
    return this.whole ? this.parts[0].numbers : undefined;
  }

  /** The boxes of exact numbers. */
  boxes(): { at: Extent; size: Extent }[] {
    return this.parts;
  }

  /** A channel as a picture: its pixels, rows, columns, and how many elements a side each pixel stands for. */
  channel(c: number): { rows: number; columns: number; scale: number; value: (i: number) => number } | undefined {
    const [channels, rows, columns] = this.extent;
    if (c >= channels) return undefined;
    if (this.whole) {
      const numbers = this.parts[0].numbers;
      const start = c * rows * columns;
      return { rows, columns, scale: 1, value: (i) => numbers[start + i] };
    }
    if (!this.picture || c >= this.pictures) return undefined;
    const { size, scale, pixels, ranges } = this.picture;
    const start = c * size[0] * size[1];
    const [least, greatest] = [ranges[2 * c], ranges[2 * c + 1]];
    return {
      rows: size[0],
      columns: size[1],
      scale,
      value: (i) => least + ((greatest - least) * pixels[start + i]) / 255,
    };
  }
}

export interface NetworkLayer extends Omit<Layer, "value" | "memory" | "weights"> {
  index: number;
  value: Value;
  memory: Value | null;
  weights: (Omit<WeightTensor, "value"> & { value: Value })[];
  users: number[];
}

/** A network, loaded. */
export interface Network extends Omit<Data, "layers"> {
  layers: NetworkLayer[];
  byName: Map<string, number>;
  /** The course's small networks by key. */
  lessons: Map<string, Network>;
}

export async function inflate(packed: Uint8Array): Promise<ArrayBuffer> {
  const stream = new Response(packed as BufferSource).body!.pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/** Reads what `page::pack` wrote. */
export async function unpack(packed: Uint8Array): Promise<Network> {
  const bytes = await inflate(packed);
  const length = new DataView(bytes).getUint32(0, true);
  const data = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as Data;
  const numbers = bytes.slice(4 + Math.ceil(length / 4) * 4);
  return connect(data, numbers);
}

function connect(data: Data, numbers: ArrayBuffer): Network {
  const layers: NetworkLayer[] = data.layers.map((layer, index) => ({
    ...layer,
    index,
    value: new Value(layer.value, numbers, layer.integers?.zero_point),
    memory: layer.memory && new Value(layer.memory, numbers),
    weights: layer.weights.map((weight) => ({ ...weight, value: new Value(weight.value, numbers) })),
    users: [],
  }));
  for (const layer of layers) {
    for (const operand of new Set(layer.operands)) layers[operand].users.push(layer.index);
  }
  // Offsets of a lesson's numbers count from where they begin.
  const lessons = new Map((data.course?.lessons ?? []).map(({ key, data: lesson, at }) => [key, connect(lesson, numbers.slice(at))]));
  return { ...data, layers, lessons, byName: new Map(layers.map((layer) => [layer.name, layer.index])) };
}

/** The data inside the page. */
export function embedded(): Uint8Array | undefined {
  const text = document.getElementById("data")?.textContent?.trim();
  if (!text || text.startsWith("%")) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
