/** The desk: the network's text and its image, to be changed while the page follows. Only where a server answers. */

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { grey } from "./colours";
import { unpack, type Network } from "./load";
import { Classes } from "./maps";
import { LayerStage } from "./layer";
import { useApp } from "./state";
import { t } from "./strings";

/** Multiplications from which on the maps of all layers take noticeably long. */
const SLOW = 20_000_000;

interface Problem { message: string; span: [number, number] | null; label: string; notes: string[] }

/** Asks the server for a change: the network after it, or what is wrong. */
async function post(path: string, body: BodyInit): Promise<Network | Problem[]> {
  const response = await fetch(path, { method: "POST", body });
  if (response.ok) return unpack(new Uint8Array(await response.arrayBuffer()));
  if (response.status === 422) return ((await response.json()) as { problems: Problem[] }).problems;
  return [{ message: await response.text(), span: null, label: "", notes: [] }];
}

/** Runs one change at a time; of those that come meanwhile only the last. */
function useQueue<T>(work: (item: T) => Promise<void>): (item: T) => void {
  const waiting = useRef<{ item: T } | null>(null);
  const busy = useRef(false);
  const latest = useRef(work);
  latest.current = work;
  return useCallback((item: T) => {
    waiting.current = { item };
    if (busy.current) return;
    busy.current = true;
    void (async () => {
      while (waiting.current) {
        const next = waiting.current.item;
        waiting.current = null;
        await latest.current(next);
      }
      busy.current = false;
    })();
  }, []);
}

export function DeskView({ replace }: { replace: (network: Network) => void }) {
  const { network, state, go } = useApp();
  const [text, setText] = useState(network.source.text);
  const [problems, setProblems] = useState<Problem[]>([]);
  const take = async (answer: Promise<Network | Problem[]>) => {
    try {
      const found = await answer;
      if (Array.isArray(found)) setProblems(found);
      else {
        setProblems([]);
        replace(found);
      }
    } catch {
      setProblems([{ message: t("serverGone"), span: null, label: "", notes: [] }]);
    }
  };
  const sendText = useQueue<string>((words) => take(post("text", words)));
  // The compiled network answers at once; where the maps take longer, its answer is shown before them.
  const [answers, setAnswers] = useState<number[][] | undefined>();
  const sendImage = useQueue<Float32Array>(async (image) => {
    if (network.totals.multiplications > SLOW) {
      const response = await fetch("answer", { method: "POST", body: image as BufferSource }).catch(() => undefined);
      if (response?.ok) setAnswers((await response.json()) as number[][]);
    }
    await take(post("image", image as BufferSource));
    setAnswers(undefined);
  });
  const change = (words: string) => {
    setText(words);
    sendText(words);
  };
  const layer = network.layers[state.layer];
  return (
    <div class="desk">
      <section>
        <Editor text={text} change={change} problems={problems} name={network.source.name} lit={layer.lines} />
      </section>
      <section>
        <Knobs text={text} change={change} broken={problems.length > 0} />
        <Canvas network={network} send={sendImage} />
        <Classes network={network} answers={answers} />
      </section>
      <section class="wide panel">
        <div class="bar">
          <select aria-label={t("layer")} value={state.layer} onChange={(event) => go({ layer: Number(event.currentTarget.value) })}>
            {network.layers.map((one) => <option value={one.index}>{one.name}</option>)}
          </select>
          <span class="soft">{layer.op}</span><span class="num">{layer.shape.join(" × ")}</span>
        </div>
        <LayerStage key={`${layer.index} ${layer.shape}`} network={network} layer={layer} compact />
      </section>
    </div>
  );
}

/** Bytes of UTF-8 as positions of the text. */
function position(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).slice(0, byte)).length;
}

function Editor({ text, change, problems, name, lit }: { text: string; change: (text: string) => void; problems: Problem[]; name: string; lit: [number, number] | null }) {
  const gutter = useRef<HTMLDivElement>(null);
  const count = text.split("\n").length;
  const placed = problems.map((problem) => {
    if (!problem.span) return { ...problem, line: 0, column: 0 };
    const before = text.slice(0, position(text, problem.span[0])).split("\n");
    return { ...problem, line: before.length, column: before[before.length - 1].length + 1 };
  });
  const bad = new Set(placed.map((problem) => problem.line));
  return (
    <>
      <h3>{name}</h3>
      <div class="editor">
        <div class="gutter" ref={gutter} aria-hidden="true">
          {Array.from({ length: count }, (_, i) => <div class={`${bad.has(i + 1) ? "bad" : ""}${lit && i + 1 >= lit[0] && i + 1 <= lit[1] ? " on" : ""}`}>{i + 1}</div>)}
        </div>
        <textarea
          aria-label={t("modelText")} spellcheck={false} autocomplete="off" wrap="off" value={text} aria-invalid={problems.length > 0}
          onInput={(event) => change(event.currentTarget.value)}
          onScroll={(event) => { if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop; }}
        />
      </div>
      <div role="status" aria-live="polite">
        {placed.length === 0 ? <p class="check">✓ {t("textGood")}</p> : placed.map((problem) => (
          <div class="problem">
            <b>{problem.line > 0 && <span class="num">{problem.line}:{problem.column} </span>}{problem.message}</b>
            {problem.label && <div>{problem.label}</div>}
            {problem.notes.map((note) => <div class="mono">{note}</div>)}
          </div>
        ))}
      </div>
    </>
  );
}

const KNOBS: Record<string, [number, number]> = { kernel: [1, 11], size: [1, 8], stride: [1, 4], padding: [0, 5], dilation: [1, 4], filters: [1, 128], units: [1, 256], groups: [1, 16] };

/** A slider for each whole number of the chosen layer's lines. */
function Knobs({ text, change, broken }: { text: string; change: (text: string) => void; broken: boolean }) {
  const { network, state } = useApp();
  const layer = network.layers[state.layer];
  const lines = text.split("\n");
  // A text that is being repaired keeps its lines where they were.
  const [first, last] = layer.lines ?? [1, 0];
  const spots = useMemo(() => {
    const found: { key: string; line: number; at: number; length: number; value: number }[] = [];
    for (let line = first; line <= Math.min(last, lines.length); line++) {
      const words = lines[line - 1].replace(/#.*$/, "");
      for (const match of words.matchAll(/\b(kernel|size|stride|padding|dilation|filters|units|groups)\s*=\s*(\d+)\b/g)) {
        found.push({ key: match[1], line, at: match.index + match[0].length - match[2].length, length: match[2].length, value: Number(match[2]) });
      }
    }
    return found;
  }, [text, first, last]);
  const set = (spot: (typeof spots)[number], value: number) => {
    const line = lines[spot.line - 1];
    const next = [...lines];
    next[spot.line - 1] = line.slice(0, spot.at) + value + line.slice(spot.at + spot.length);
    change(next.join("\n"));
  };
  /** Writes a key that the layer does not have yet. */
  const add = (key: string, value: number) => {
    const next = [...lines];
    for (let line = first; line <= last; line++) {
      const inline = /\bop\s*=\s*"[^"]*"/.exec(next[line - 1]);
      if (!inline) continue;
      const end = inline.index + inline[0].length;
      if (next[line - 1].includes("{")) next[line - 1] = `${next[line - 1].slice(0, end)}, ${key} = ${value}${next[line - 1].slice(end)}`;
      else next.splice(line, 0, `${key} = ${value}`);
      change(next.join("\n"));
      return;
    }
  };
  const possible = layer.arithmetic.kind === "conv" || layer.arithmetic.kind === "pool" ? ["stride", "padding", ...(layer.arithmetic.kind === "conv" ? ["dilation"] : [])] : [];
  const missing = layer.lines ? possible.filter((key) => !spots.some((spot) => spot.key === key) && !lines.slice(first - 1, last).some((line) => new RegExp(`\\b${key}\\s*=`).test(line))) : [];
  if (!spots.length && !missing.length) return null;
  return (
    <section class="panel">
      <h3>{layer.name}{broken && <span class="tag no" style={{ marginLeft: ".5rem" }}>{t("notTaken")}</span>}</h3>
      {spots.map((spot) => (
        <label class="bar" style={{ marginBottom: 0 }}>
          <span style={{ minWidth: "7rem" }}><code>{spot.key}</code> = <b class="num">{spot.value}</b></span>
          <input type="range" min={KNOBS[spot.key][0]} max={Math.max(KNOBS[spot.key][1], spot.value)} value={spot.value} onInput={(event) => set(spot, Number(event.currentTarget.value))} />
        </label>
      ))}
      {missing.length > 0 && <div class="bar" style={{ margin: ".4rem 0 0" }}>{missing.map((key) => <button type="button" onClick={() => add(key, key === "padding" ? 1 : 2)}>+ {key}</button>)}</div>}
    </section>
  );
}

/** The first input as a canvas: draw, paint pixels, drop a picture. */
function Canvas({ network, send }: { network: Network; send: (image: Float32Array) => void }) {
  const input = network.layers.find((layer) => layer.arithmetic.kind === "input");
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = useRef<Float32Array>(new Float32Array());
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
  useEffect(() => {
    if (!input || drawing.current) return;
    const known = input.value.all();
    image.current = new Float32Array(channels * rows * columns);
    for (let c = 0; c < channels; c++) for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) {
      image.current[place(c, y, x)] = known ? known[(c * rows + y) * columns + x] : input.value.at(c, y, x) ?? input.value.channel(c)?.value(Math.floor(y / (input.value.channel(c)?.scale ?? 1)) * (input.value.channel(c)?.columns ?? 0) + Math.floor(x / (input.value.channel(c)?.scale ?? 1))) ?? 0;
    }
    draw();
  }, [input, draw]);
  if (!input || rows * columns < 4 || channels > 4) return null;
  const stroke = (event: PointerEvent) => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    const [y, x] = [((event.clientY - box.top) / box.height) * rows, ((event.clientX - box.left) / box.width) * columns];
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
  const clear = () => {
    image.current.fill(0);
    draw();
    send(image.current.slice());
  };
  const drop = async (file?: File) => {
    if (!file) return;
    const picture = await createImageBitmap(file);
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
      <canvas
        class="paint" ref={canvas} width={columns} height={rows} role="img" aria-label={t("drawHere", { name: input.name })}
        onPointerDown={(event) => { drawing.current = true; event.currentTarget.setPointerCapture(event.pointerId); stroke(event); }}
        onPointerMove={(event) => drawing.current && stroke(event)}
        onPointerUp={() => { drawing.current = false; }}
        onPointerCancel={() => { drawing.current = false; }}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => { event.preventDefault(); void drop(event.dataTransfer?.files[0]); }}
      />
      <div class="bar" style={{ margin: ".5rem 0 0" }}>
        {(["soft", "pixel", "erase"] as const).map((one) => <button type="button" aria-pressed={brush === one} onClick={() => setBrush(one)}>{t(one === "soft" ? "brushSoft" : one === "pixel" ? "brushPixel" : "brushErase")}</button>)}
        <button type="button" onClick={clear}>{t("clear")}</button>
        <label class="button">{t("openPicture")}<input class="visually-hidden" type="file" accept="image/*" onChange={(event) => void drop(event.currentTarget.files?.[0])} /></label>
      </div>
    </section>
  );
}
