/** The desk: the network's text and its image, to be changed while the page follows. Only where a server answers. */

import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { Canvas } from "./canvas";
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
  const area = useRef<HTMLTextAreaElement>(null);
  /** Selects the place of a problem. */
  const show = ({ span }: Problem) => {
    if (!span || !area.current) return;
    area.current.focus();
    area.current.setSelectionRange(position(text, span[0]), position(text, span[1]));
  };
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
          ref={area} aria-label={t("modelText")} spellcheck={false} autocomplete="off" wrap="off" value={text} aria-invalid={problems.length > 0}
          onInput={(event) => change(event.currentTarget.value)}
          onScroll={(event) => { if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop; }}
        />
      </div>
      <div role="status" aria-live="polite">
        {placed.length === 0 ? <p class="check">✓ {t("textGood")}</p> : placed.map((problem) => (
          <div class="problem">
            <b>{problem.line > 0 && <button type="button" class="num" title={t("goThere")} onClick={() => show(problem)}>{problem.line}:{problem.column}</button>} {problem.message}</b>
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
