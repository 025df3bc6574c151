/** The course: stops with a few words, something to try, and the places of the reader's own network they are about. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { calls, sayable } from "./calls";
import { STOPS, type Stop } from "./course-text";
import type { Outline } from "./data";
import { GraphView, type Item, useFolding } from "./graph";
import { LayerStage } from "./layer";
import type { Network } from "./load";
import { grouped, short } from "./numbers";
import { Scroll } from "./scroll";
import { useApp } from "./state";
import { language, t } from "./strings";
import { CostTable } from "./table";

const say = ([english, korean]: [string, string]) => (language() === "en" ? english : korean);

export function CourseView() {
  const { network, state, go } = useApp();
  const at = Math.max(STOPS.findIndex((stop) => stop.key === state.part), 0);
  const stop = STOPS[at];
  const link = (index: number, text: string) => <button type="button" disabled={!STOPS[index]} onClick={() => { go({ part: STOPS[index].key }); document.getElementById("main")?.focus(); window.scrollTo(0, 0); }}>{text}</button>;
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const current = list.current?.querySelector<HTMLElement>("[aria-current]");
    if (list.current && current) list.current.scrollTop = current.offsetTop - list.current.clientHeight / 2;
  }, [at]);
  return (
    <div class="course">
      <nav aria-label={t("course")}>
        <ol ref={list}>
          {STOPS.map((one, index) => (
            <li><a href={`#view=course&part=${one.key}`} aria-current={index === at ? "step" : undefined} onClick={(event) => { event.preventDefault(); go({ part: one.key }); window.scrollTo(0, 0); }}><span class="num">{index + 1}.</span> {say(one.title)}</a></li>
          ))}
        </ol>
      </nav>
      <article class="lesson" key={stop.key}>
        <h2>{at + 1}. {say(stop.title)}</h2>
        {stop.text.map((words) => {
          const text = say(words);
          return text.startsWith("= ") ? <Scroll class="eq" label={t("formulaOf")}>{text.slice(2)}</Scroll> : <p>{text}</p>;
        })}
        {stop.lesson && <Small network={network} stop={stop} />}
        {stop.formula && <Sizes />}
        {stop.calls && <Calls network={network} />}
        {stop.outline && <Famous outline={network.course?.outlines.find((one) => one.name === stop.outline)} />}
        {stop.pair && <Pair outlines={stop.pair.map((name) => network.course?.outlines.find((one) => one.name === name))} />}
        <Own network={network} stop={stop} />
        <div class="bar" style={{ marginTop: "1.2rem" }}>{link(at - 1, `← ${t("stopBefore")}`)}{link(at + 1, `${t("stopAfter")} →`)}</div>
      </article>
    </div>
  );
}

/** A small network of the course to point at. */
function Small({ network, stop }: { network: Network; stop: Stop }) {
  const lesson = network.lessons.get(stop.lesson!);
  if (!lesson) return null;
  const shown = stop.layer ? [lesson.layers[lesson.byName.get(stop.layer) ?? 0]] : lesson.layers.filter((layer) => layer.arithmetic.kind !== "input");
  return <>{shown.map((layer) => <div class="demo panel"><LayerStage network={lesson} layer={layer} compact /></div>)}</>;
}

/** Where the reader's own network does this. */
function Own({ network, stop }: { network: Network; stop: Stop }) {
  const { go } = useApp();
  const layers = stop.own ? network.layers.filter((layer) => stop.own!(layer as unknown as Parameters<NonNullable<Stop["own"]>>[0])) : [];
  return (
    <section class="panel" style={{ marginTop: "1rem" }}>
      <h3>{t("inYours", { name: network.name })}</h3>
      {layers.length === 0 ? <p>{t("notInYours")}</p> : (
        <>
          <p class="small soft">{layers[0].formula && <code>{layers[0].name}: {layers[0].formula}</code>}</p>
          <div class="bar">
            {layers.slice(0, 8).map((layer) => <button type="button" onClick={() => go({ view: "layer", layer: layer.index })}>{layer.name}</button>)}
            {layers.length > 8 && <span class="soft small">{t("others", { n: layers.length - 8 })}</span>}
          </div>
        </>
      )}
    </section>
  );
}

/** The output-size formula, to be played with: the windows of one row. */
function Sizes() {
  const [n, setN] = useState(7);
  const [k, setK] = useState(3);
  const [p, setP] = useState(1);
  const [s, setS] = useState(2);
  const room = n + 2 * p - k;
  const places = room < 0 ? 0 : Math.floor(room / s) + 1;
  const cell = 26;
  const slider = (label: string, value: number, set: (n: number) => void, least: number, most: number) => (
    <label class="bar" style={{ marginBottom: 0 }}>
      <span style={{ minWidth: "8.5rem" }}>{label} = <b class="num">{value}</b></span>
      <input type="range" min={least} max={most} value={value} onInput={(event) => set(Number(event.currentTarget.value))} />
    </label>
  );
  return (
    <div class="demo panel">
      {slider(`n (${t("sizeN")})`, n, setN, 1, 16)}
      {slider(`k (${t("sizeK")})`, k, setK, 1, 7)}
      {slider(`p (${t("sizeP")})`, p, setP, 0, 3)}
      {slider(`s (${t("sizeS")})`, s, setS, 1, 4)}
      <div class="eq" role="status">⌊({n} + 2·{p} − {k}) / {s}⌋ + 1 = {room < 0 ? t("noPlace") : places}</div>
      <Scroll label={t("sizeLabel", { n: places })}>
        <svg width={(n + 2 * p) * cell + 4} height={cell + 14 + Math.max(places, 1) * 9} role="img" aria-label={t("sizeLabel", { n: places })}>
          {Array.from({ length: n + 2 * p }, (_, i) => {
            const outside = i < p || i >= p + n;
            return <rect x={2 + i * cell} y={2} width={cell - 2} height={cell - 2} rx={3} fill={outside ? "none" : "var(--accent-soft)"} stroke={outside ? "var(--pad)" : "var(--accent)"} stroke-dasharray={outside ? "3 3" : undefined} />;
          })}
          {Array.from({ length: places }, (_, i) => <rect x={2 + i * s * cell} y={cell + 6 + i * 9} width={k * cell - 2} height={6} rx={3} fill="var(--warm)" />)}
        </svg>
      </Scroll>
    </div>
  );
}

function outlineItems(outline: Outline): Item[] {
  return outline.layers.map((layer, i) => ({ name: layer.name, op: layer.op, word: layer.op.split(" + ")[0], sub: layer.shape.join("×"), operands: layer.operands, path: outline.paths[i] }));
}

function Famous({ outline }: { outline?: Outline }) {
  const items = useMemo(() => (outline ? outlineItems(outline) : []), [outline]);
  const [selected, select] = useState(0);
  const { folded, toggle } = useFolding(items);
  if (!outline) return null;
  return (
    <div class="demo">
      <p class="small soft">{t("famousTotals", { parameters: grouped(outline.totals.parameters), multiplications: grouped(outline.totals.multiplications) })}</p>
      <div class="pair">
        <GraphView items={items} folded={folded} toggle={toggle} selected={selected} select={select} label={t("graphLabel")} />
        <div class="famous"><CostTable label={outline.name} layers={outline.layers} totals={outline.totals} narrow chosen={selected} /></div>
      </div>
    </div>
  );
}

function Pair({ outlines }: { outlines: (Outline | undefined)[] }) {
  const [a, b] = outlines;
  if (!a || !b) return null;
  return (
    <div class="demo">
      <p>{t("pairTotals", { a: grouped(a.totals.multiplications), b: grouped(b.totals.multiplications), ratio: short(a.totals.multiplications / b.totals.multiplications) })}</p>
      <div class="pair">{[a, b].map((one) => <section><h3>{one.name}</h3><CostTable label={one.name} layers={one.layers} totals={one.totals} narrow only /></section>)}</div>
    </div>
  );
}

/** The calls of PyTorch and TensorFlow for the reader's first convolution. */
function Calls({ network }: { network: Network }) {
  const convs = network.layers.filter(sayable);
  const [chosen, choose] = useState(0);
  const layer = convs[chosen];
  if (!layer) return <p class="panel">{t("notInYours")}</p>;
  const { torch, tensorflow, toml } = calls(network, layer);
  return (
    <div class="demo">
      <div class="bar">
        <select aria-label={t("layer")} value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>{convs.map((one, i) => <option value={i}>{one.name}</option>)}</select>
      </div>
      <h3>PyTorch</h3><Scroll class="eq" label="PyTorch">{torch}</Scroll>
      <h3>TensorFlow</h3><Scroll class="eq" label="TensorFlow">{tensorflow}</Scroll>
      <h3>TOML</h3><Scroll class="eq" label="TOML">{toml}</Scroll>
    </div>
  );
}
