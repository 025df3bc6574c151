/** Maps as pictures: one channel of a value, with frames over it. */

import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { grey, ink, signed } from "./colours";
import type { Value } from "./load";
import { short } from "./numbers";
import { language, t } from "./strings";

export type Style = "signed" | "grey" | "rgb";

/** Draws a channel (or three as red, green and blue) into a canvas of one pixel an element. */
export function paint(canvas: HTMLCanvasElement, value: Value, channel: number, style: Style, range?: [number, number]) {
  const picture = value.channel(channel);
  if (!picture) return;
  const { rows, columns } = picture;
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(columns, rows);
  let [least, greatest] = range ?? [Infinity, -Infinity];
  if (!range) {
    for (let i = 0; i < rows * columns; i++) {
      const x = picture.value(i);
      if (x < least) least = x;
      if (x > greatest) greatest = x;
    }
  }
  const { zero } = value;
  const scale = Math.max(Math.abs(least - zero), Math.abs(greatest - zero));
  const planes = style === "rgb" ? [0, 1, 2].map((c) => value.channel(c)!) : [];
  for (let i = 0; i < rows * columns; i++) {
    const [r, g, b] =
      style === "rgb"
        ? planes.map((plane) => grey(plane.value(i), value.range)[0])
        : style === "grey"
          ? grey(picture.value(i), [least, greatest])
          : signed(picture.value(i) - zero, scale);
    image.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** How a value is best shown: pictures as pictures, everything else with its signs. */
export function styleOf(word: string, value: Value): Style {
  if (word !== "input" || value.extent[1] * value.extent[2] === 1) return "signed";
  return value.extent[0] === 3 && value.pictures >= 3 ? "rgb" : value.range[0] >= 0 ? "grey" : "signed";
}

export interface Frame { y: number; x: number; h: number; w: number; kind: "window" | "tap" | "won" | "cell" | "kept" | "border" }

interface Props {
  value: Value;
  channel: number;
  style?: Style;
  range?: [number, number];
  /** Rows and columns of padding around it. */
  sides?: [number, number, number, number];
  frames?: Frame[];
  /** Pixels on the screen that the longer side takes at most. */
  size: number;
  label: string;
  pick?: (y: number, x: number, done: boolean) => void;
  keys?: (event: KeyboardEvent) => void;
  theme: string;
}

export function MapView({ value, channel, style = "signed", range, sides = [0, 0, 0, 0], frames = [], size, label, pick, keys, theme }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current) paint(canvas.current, value, channel, style, range);
  }, [value, channel, style, range?.[0], range?.[1], theme]);
  const [, rows, columns] = value.extent;
  const [top, left, bottom, right] = sides;
  const [height, width] = [rows + top + bottom, columns + left + right];
  const unit = Math.min(size / Math.max(height, width), 46);
  // A map of few cells has its numbers written into them.
  const digits = unit > 38 && style !== "rgb" ? value.all() : undefined;
  const own = digits ? Array.from(digits.slice(channel * rows * columns, (channel + 1) * rows * columns)) : [];
  const scale = Math.max(...own.map((x) => Math.abs(x - value.zero)), 0);
  const at = (event: PointerEvent, done: boolean) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const y = Math.floor(((event.clientY - box.top) / box.height) * height) - top;
    const x = Math.floor(((event.clientX - box.left) / box.width) * width) - left;
    if (y >= 0 && x >= 0 && y < rows && x < columns) pick?.(y, x, done);
  };
  const percent = (n: number, all: number) => `${(100 * n) / all}%`;
  return (
    <div
      class={pick ? "map live" : "map"}
      style={{ width: `${width * unit}px`, aspectRatio: `${width} / ${height}`, maxWidth: "100%" }}
      role={keys ? "application" : "img"}
      aria-label={label}
      tabIndex={keys ? 0 : undefined}
      onPointerMove={pick && ((event) => at(event, false))}
      onPointerDown={pick && ((event) => at(event, true))}
      onKeyDown={keys}
    >
      <canvas
        ref={canvas}
        aria-hidden="true"
        style={{
          left: percent(left, width),
          top: percent(top, height),
          width: percent(columns, width),
          height: percent(rows, height),
        }}
      />
      <svg viewBox={`${-left} ${-top} ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {top + left + bottom + right > 0 && <rect class="border" x={0} y={0} width={columns} height={rows} />}
        {digits && Array.from({ length: rows * columns }, (_, i) => {
          const x = digits[channel * rows * columns + i];
          const colour = style === "grey" ? grey(x, value.range) : signed(x - value.zero, scale);
          return <text x={(i % columns) + 0.5} y={Math.floor(i / columns) + 0.62} fill={ink(colour)}>{inCell(x)}</text>;
        })}
        {frames.map((frame) => (
          <rect class={frame.kind} x={frame.x} y={frame.y} width={frame.w} height={frame.h} />
        ))}
      </svg>
    </div>
  );
}

/** A number in a cell of a map: with as many digits as there is room for. */
function inCell(x: number): string {
  const texts = [3, 2, 1].map((digits) => short(x, digits));
  return texts.find((text) => text.length <= 5) ?? texts[2];
}

/** Small pictures of channels, to choose one. */
export function Strip({ value, style, chosen, choose, label, theme, most = 64 }: {
  value: Value;
  style: Style;
  chosen: number;
  choose: (channel: number) => void;
  label: (channel: number) => string;
  theme: string;
  most?: number;
}) {
  const channels = Math.min(value.pictures, most);
  // Dozens of canvases need not be looked at again whenever the pointer moves.
  return useMemo(() => channels < 2 || style === "rgb" ? null : (
    <div class="strip" role="group" aria-label={t("channels")}>
      {Array.from({ length: channels }, (_, channel) => (
        <button type="button" aria-pressed={channel === chosen} aria-label={label(channel)} title={label(channel)} onClick={() => choose(channel)}>
          <Thumb value={value} channel={channel} style={style} size={34} theme={theme} />
        </button>
      ))}
    </div>
  ), [value, style, chosen, theme, channels, language()]);
}

/** A channel without frames. */
export function Thumb({ value, channel, style, range, size, theme }: { value: Value; channel: number; style: Style; range?: [number, number]; size: number; theme: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current) paint(canvas.current, value, channel, style, range);
  }, [value, channel, style, range?.[0], range?.[1], theme]);
  const [, rows, columns] = value.extent;
  const unit = size / Math.max(rows, columns);
  return <canvas ref={canvas} aria-hidden="true" style={{ width: `${columns * unit}px`, height: `${rows * unit}px`, imageRendering: "pixelated", display: "block" }} />;
}

/** A part of a channel, large, from exact numbers only: what a reduced picture cannot show. */
export function Closeup({ value, channel, style, region, frames = [], size, label, pick, theme }: { value: Value; channel: number; style: Style; region: { y: number; x: number; h: number; w: number }; frames?: Frame[]; size: number; label: string; pick?: (y: number, x: number) => void; theme: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { y, x, h, w } = region;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const image = context.createImageData(w, h);
    const numbers = Array.from({ length: h * w }, (_, i) => value.at(channel, y + Math.floor(i / w), x + (i % w)));
    const scale = Math.max(...numbers.map((n) => Math.abs((n ?? value.zero) - value.zero)));
    numbers.forEach((n, i) => image.data.set(n === undefined ? [0, 0, 0, 0] : [...(style === "signed" ? signed(n - value.zero, scale) : grey(n, value.range)), 255], 4 * i));
    context.putImageData(image, 0, 0);
  }, [value, channel, style, y, x, h, w, theme]);
  const unit = Math.min(size / Math.max(h, w), 26);
  const at = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    pick?.(y + Math.min(Math.floor(((event.clientY - box.top) / box.height) * h), h - 1), x + Math.min(Math.floor(((event.clientX - box.left) / box.width) * w), w - 1));
  };
  return (
    <div class={pick ? "map live" : "map"} style={{ width: `${w * unit}px`, aspectRatio: `${w} / ${h}`, maxWidth: "100%", marginTop: ".3rem" }} role="img" aria-label={label} onPointerMove={pick && at} onPointerDown={pick && at}>
      <canvas ref={canvas} width={w} height={h} aria-hidden="true" style={{ inset: 0, width: "100%", height: "100%" }} />
      <svg viewBox={`${x} ${y} ${w} ${h}`} preserveAspectRatio="none" aria-hidden="true">
        {frames.map((frame) => <rect class={frame.kind} x={frame.x} y={frame.y} width={frame.w} height={frame.h} />)}
      </svg>
    </div>
  );
}
