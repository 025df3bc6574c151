/** The first input as a canvas: draw, paint pixels, drop a picture. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { grey } from "./colours";
import type { Network } from "./load";
import { t } from "./strings";

export function Canvas({ network, send }: { network: Network; send: (image: Float32Array) => void }) {
  const input = network.layers.find((layer) => layer.arithmetic.kind === "input");
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useRef<Float32Array>(new Float32Array());
  const [cursor, setCursor] = useState<[number, number]>([0, 0]);
  const [refused, setRefused] = useState("");
  const [brush, setBrush] = useState<"soft" | "pixel" | "erase">("soft");
  const drawing = useRef(false);
  const extent = input?.value.extent ?? [0, 0, 0];
  const [channels, rows, columns] = extent;
  const hwc = input?.keys.some(([key, value]) => key === "layout" && value.includes("hwc")) ?? false;
  const place = (c: number, y: number, x: number) => (hwc ? (y * columns + x) * channels + c : (c * rows + y) * columns + x);
  const draw = useCallback(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const data = context.createImageData(columns, rows);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const rgb = [0, 1, 2].map((c) => grey(image.current[place(Math.min(c, channels - 1), y, x)], [0, 1])[0]);
        data.data.set([...rgb, 255], 4 * (y * columns + x));
      }
    }
    context.putImageData(data, 0, 0);
  }, [extent.join()]);
  // The page may have only a part of the image, the server has all of it.
  useEffect(() => {
    let wanted = true;
    image.current = new Float32Array(channels * rows * columns);
    void (async () => {
      const response = await fetch("image").catch(() => undefined);
      const all = response?.ok ? new Float32Array(await response.arrayBuffer()) : undefined;
      if (!wanted || all?.length !== image.current.length) return;
      image.current = all;
      draw();
    })();
    return () => { wanted = false; };
  }, [extent.join(), hwc]);
  if (!input || rows * columns < 4 || channels > 4) return null;
  /** The brush at a place. */
  const dab = (y: number, x: number) => {
    const radius = brush === "pixel" ? 0 : Math.max(rows / 22, 1);
    for (let i = Math.floor(y - radius); i <= y + radius; i++) {
      for (let j = Math.floor(x - radius); j <= x + radius; j++) {
        if (i < 0 || j < 0 || i >= rows || j >= columns) continue;
        const away = Math.hypot(i + 0.5 - y, j + 0.5 - x);
        const ink = radius === 0 ? 1 : Math.max(0, Math.min(1, 1.25 - away / (radius + 0.5)));
        for (let c = 0; c < channels; c++) {
          const at = place(c, i, j);
          if (brush === "erase") image.current[at] = ink > 0 ? 0 : image.current[at];
          else image.current[at] = Math.max(image.current[at], ink);
        }
      }
    }
    draw();
    send(image.current.slice());
  };
  const stroke = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    dab(((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * columns);
  };
  /** The arrow keys move the cursor, the space bar paints under it. */
  const keys = (event: KeyboardEvent) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) setCursor([Math.min(Math.max(cursor[0] + by[0], 0), rows - 1), Math.min(Math.max(cursor[1] + by[1], 0), columns - 1)]);
    else if (event.key === " ") dab(cursor[0] + 0.5, cursor[1] + 0.5);
    else return;
    event.preventDefault();
  };
  const clear = () => {
    image.current.fill(0);
    draw();
    send(image.current.slice());
  };
  const drop = async (file?: File) => {
    if (!file) return;
    const picture = await createImageBitmap(file).catch(() => undefined);
    setRefused(picture ? "" : file.name);
    if (!picture) return;
    const scratch = new OffscreenCanvas(columns, rows).getContext("2d")!;
    scratch.imageSmoothingQuality = "high";
    scratch.drawImage(picture, 0, 0, columns, rows);
    const { data } = scratch.getImageData(0, 0, columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      const rgb = [data[4 * i] / 255, data[4 * i + 1] / 255, data[4 * i + 2] / 255];
      const [y, x] = [Math.floor(i / columns), i % columns];
      if (channels === 1) image.current[place(0, y, x)] = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
      else for (let c = 0; c < channels; c++) image.current[place(c, y, x)] = rgb[Math.min(c, 2)];
    }
    draw();
    send(image.current.slice());
  };
  return (
    <section class="panel">
      <h3>{t("drawHere", { name: input.name })}</h3>
      <div
        class="paint" role="application" tabIndex={0} aria-label={`${t("drawHere", { name: input.name })}. ${t("drawKeys")}`}
        onKeyDown={keys}
        onPointerDown={(event) => { drawing.current = true; event.currentTarget.setPointerCapture(event.pointerId); stroke(event); }}
        onPointerMove={(event) => drawing.current && stroke(event)}
        onPointerUp={() => { drawing.current = false; }}
        onPointerCancel={() => { drawing.current = false; }}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => { event.preventDefault(); void drop(event.dataTransfer?.files[0]); }}
      >
        <canvas ref={canvas} width={columns} height={rows} aria-hidden="true" />
        <i style={{ left: `${(100 * cursor[1]) / columns}%`, top: `${(100 * cursor[0]) / rows}%`, width: `${100 / columns}%`, height: `${100 / rows}%` }} />
      </div>
      <p class="small soft">{t("drawKeys")}</p>
      <p class={refused ? "problem" : "visually-hidden"} role="status">{refused && t("noPicture", { name: refused })}</p>
      <div class="bar" style={{ margin: ".5rem 0 0" }}>
        {(["soft", "pixel", "erase"] as const).map((one) => <button type="button" aria-pressed={brush === one} onClick={() => setBrush(one)}>{t(one === "soft" ? "brushSoft" : one === "pixel" ? "brushPixel" : "brushErase")}</button>)}
        <button type="button" onClick={clear}>{t("clear")}</button>
        <label class="button">{t("openPicture")}<input class="visually-hidden" type="file" accept="image/*" onChange={(event) => void drop(event.currentTarget.files?.[0])} /></label>
      </div>
    </section>
  );
}
