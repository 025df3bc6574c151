/** What the compiler makes of the network: passes, plan, memory, code, time. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Code, CodeText, Compiler, DiffLine, Planned } from "./data";
import { family } from "./colours";
import { GraphView, type Item, useFolding } from "./graph";
import type { Network } from "./load";
import { bytes, dims, duration, grouped, short } from "./numbers";
import { items } from "./network";
import { lesson } from "./pass-text";
import { Scroll } from "./scroll";
import { useApp } from "./state";
import { t, type Key } from "./strings";

const PARTS: Key[] = ["passes", "fused", "plan", "memoryView", "code", "times"];

export function CompilerView() {
  const { network, state, go } = useApp();
  const { compiler } = network;
  if (!compiler) return <p>{t("noCompiler")}</p>;
  const part = PARTS.includes(state.part as Key) ? (state.part as Key) : "passes";
  return (
    <div>
      <div class="bar" role="group" aria-label={t("compiler")}>
        {PARTS.map((one) => <button type="button" aria-pressed={one === part} onClick={() => go({ part: one })}>{t(one)}</button>)}
      </div>
      {part === "passes" && <Passes compiler={compiler} />}
      {part === "fused" && <Fused network={network} compiler={compiler} />}
      {part === "plan" && <Plan planned={compiler.planned} />}
      {part === "memoryView" && <Memory planned={compiler.planned} />}
      {part === "code" && <CodeView planned={compiler.planned} layer={fusedName(compiler, state.layer)} />}
      {part === "times" && <Times planned={compiler.planned} />}
    </div>
  );
}

function Passes({ compiler }: { compiler: Compiler }) {
  return (
    <div>
      {compiler.steps.map((step) => {
        const [done, refused] = [step.notes.filter((note) => !note.refused), step.notes.filter((note) => note.refused)];
        return (
          <section class="pass">
            <header>
              <h3 class="mono">{step.pass}</h3>
              {done.length > 0 && <span class="tag ok">{t("done")} {done.length}</span>}
              {refused.length > 0 && <span class="tag no">{t("refused")} {refused.length}</span>}
              {step.notes.length === 0 && <span class="tag">{t("nothingToDo")}</span>}
              {step.layers[0] !== step.layers[1] && <span class="soft small">{t("layersBeforeAfter", { a: step.layers[0], b: step.layers[1] })}</span>}
            </header>
            <p>{lesson(step)}</p>
            {step.notes.length > 0 && (
              <ul class="notelist" tabIndex={0} aria-label={`${step.pass}: ${t("done")} ${done.length}, ${t("refused")} ${refused.length}`}>
                {step.notes.map((note) => <li><span class={note.refused ? "tag no" : "tag ok"}>{t(note.refused ? "refused" : "done")}</span> <b>{note.layer}</b>: {note.text}</li>)}
              </ul>
            )}
            {step.hunks.length > 0 && (
              <details open={step.hunks.length < 12} aria-label={step.pass}>
                <summary>{t("showDifference")}</summary>
                <Diff hunks={step.hunks} label={`${step.pass}: ${t("showDifference")}`} />
              </details>
            )}
          </section>
        );
      })}
    </div>
  );
}

function Diff({ hunks, label }: { hunks: DiffLine[][]; label: string }) {
  return (
    <Scroll class="diff" label={label}>
      {hunks.map((hunk, i) => (
        <>
          {i > 0 && <hr />}
          {hunk.map((line) => <div class={line.sign === "+" ? "plus" : line.sign === "-" ? "minus" : ""}>{line.sign} {line.text}</div>)}
        </>
      ))}
    </Scroll>
  );
}

/** The graph as declared beside the one after the passes: layers that correspond are lit together, from either side. */
function Fused({ network, compiler }: { network: Network; compiler: Compiler }) {
  const { state, go } = useApp();
  const declared = useMemo(() => items(network), [network]);
  const fused: Item[] = useMemo(() => compiler.fused.map((node) => ({
    name: node.name,
    op: node.op,
    word: node.op,
    sub: node.shape.join("×"),
    operands: node.operands,
    // A fused layer stays in the block of the last one it computes.
    path: network.layers[network.byName.get(node.name) ?? node.covers.at(-1) ?? -1]?.path ?? [],
  })), [network, compiler]);
  const owners = useMemo(() => {
    const owners = new Map<number, number[]>();
    compiler.fused.forEach((node, i) => node.covers.forEach((layer) => owners.set(layer, [...(owners.get(layer) ?? []), i])));
    return owners;
  }, [compiler]);
  const gone = useMemo(() => new Set(network.layers.map((layer) => layer.index).filter((index) => !owners.has(index))), [network, owners]);
  const { folded, toggle, buttons } = useFolding(declared);
  const [lit, setLit] = useState<[Set<number>, Set<number>]>(() => [new Set(), new Set()]);
  const fromDeclared = (layers: number[]) => {
    const nodes = new Set(layers.flatMap((layer) => owners.get(layer) ?? []));
    setLit([new Set([...layers, ...[...nodes].flatMap((node) => compiler.fused[node].covers)]), nodes]);
  };
  const fromFused = (nodes: number[]) => setLit([new Set(nodes.flatMap((node) => compiler.fused[node].covers)), new Set(nodes)]);
  const chosen = owners.get(state.layer)?.[0] ?? -1;
  const [layers, nodes] = lit;
  return (
    <div>
      <div class="bar">
        <span class="soft small">{t("fusedHint")}</span>
        <span class="gap" />
        {buttons}
      </div>
      <div class="two">
        <section>
          <h3>{t("declared")} ({network.layers.length})</h3>
          <GraphView items={declared} folded={folded} toggle={toggle} selected={state.layer} select={(layer) => { fromDeclared([layer]); go({ layer }); }} open={(layer) => go({ view: "layer", layer })} lit={layers} faint={gone} point={fromDeclared} label={`${t("declared")}. ${t("graphLabel")}`} />
        </section>
        <section>
          <h3>{t("afterPasses")} ({compiler.fused.length})</h3>
          <GraphView items={fused} folded={folded} toggle={toggle} selected={chosen} select={(node) => { fromFused([node]); const layer = network.byName.get(compiler.fused[node].name) ?? compiler.fused[node].covers.at(-1); if (layer !== undefined) go({ layer }); }} lit={nodes} point={fromFused} label={`${t("afterPasses")}. ${t("graphLabel")}`} />
        </section>
      </div>
      <div class="panel fusedtext" role="status">
        {nodes.size === 0 && layers.size === 0 && <p class="soft">{t("nothingPointed")}</p>}
        {nodes.size === 0 && layers.size > 0 && <p>{[...layers].map((layer) => network.layers[layer].name).join(", ")}: {t("removed")}</p>}
        {[...nodes].slice(0, 4).map((node) => (
          <p><code>{compiler.fused[node].text}</code><br /><span class="soft small">{t("standsFor", { names: compiler.fused[node].covers.map((layer) => network.layers[layer].name).join(", ") })}</span></p>
        ))}
        {nodes.size > 4 && <p class="soft small">{t("others", { n: nodes.size - 4 })}</p>}
      </div>
    </div>
  );
}

function Plan({ planned }: { planned: Planned }) {
  const name = (index: number) => `%${index} ${planned.buffers[index].name}`;
  return (
    <Scroll label={t("plan")}>
      <table class="data plan">
        <thead><tr><th class="r">{t("stepN")}</th><th>{t("layer")}</th><th>{t("kernel")}</th><th>{t("why")}</th><th>{t("reads")} → {t("writes")}</th><th class="r">{t("time")}</th></tr></thead>
        <tbody>
          {planned.steps.map((step, i) => (
            <tr>
              <td class="r">{i}</td>
              <td>{step.layer}<br /><span class="soft small">{step.op}</span></td>
              <td><code>{step.kernel}</code>{step.recipes.length > 0 && <><br /><code class="soft small">{step.recipes.join(", ")}</code></>}<br /><span class="soft small">{step.tasks === 1 ? t("oneTask") : t("tasks", { n: step.tasks })}</span></td>
              <td class="small">{step.why}</td>
              <td class="small">{step.reads.map(name).join(", ")} → {name(step.writes)}<br /><span class="soft">{planned.buffers[step.writes].layout}</span></td>
              <td class="r">{step.ms === null ? "" : duration(step.ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** Buffers as rectangles: along, the steps they live; upwards, their place in the arena. */
function Memory({ planned }: { planned: Planned }) {
  const [over, setOver] = useState<number | undefined>();
  const [width, height, left, bottom] = [900, 396, 70, 42];
  const [columns, arena] = [planned.steps.length, Math.max(planned.arena, 1)];
  const x = (step: number) => left + ((width - left) * step) / columns;
  const y = (offset: number) => (height - bottom - 12) * (1 - offset / arena) + 12;
  const every = Math.ceil(columns / 30);
  const inside = planned.buffers.map((buffer, index) => ({ ...buffer, index })).filter((buffer) => buffer.offset !== null && buffer.life);
  const all = inside.reduce((sum, buffer) => sum + buffer.bytes, 0);
  const op = (name: string) => planned.steps.find((step) => step.layer === name)?.op ?? "identity";
  const described = (index: number) => {
    const { name, shape, layout, bytes: size, offset, life } = planned.buffers[index];
    return `%${index} ${name}: ${dims(shape)}, ${layout}, ${bytes(size)}, ${t("arena")} + ${grouped(offset ?? 0)}, ${t("stepN")} ${life?.join("–")}`;
  };
  return (
    <div>
      <p>{t("peakText", { peak: bytes(planned.arena), bound: bytes(planned.bound), all: bytes(all) })}</p>
      <Scroll class="panel chartbox" label={t("memoryView")}>
        <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="group" aria-label={t("memoryView")}>
          {[0, 0.25, 0.5, 0.75, 1].map((share) => (
            <>
              <line class="gridline" x1={left} x2={width} y1={y(arena * share)} y2={y(arena * share)} />
              <text x={left - 6} y={y(arena * share) + 4} text-anchor="end">{bytes(Math.round(arena * share))}</text>
            </>
          ))}
          {inside.map((buffer) => {
            const [first, last] = buffer.life!;
            const [w, h] = [Math.max(x(last + 1) - x(first) - 1, 1), Math.max(y(buffer.offset!) - y(buffer.offset! + buffer.bytes) - 1, 1)];
            return (
              <g class="buffer" tabIndex={0} role="img" aria-label={described(buffer.index)} onFocus={() => setOver(buffer.index)} onPointerEnter={() => setOver(buffer.index)} onClick={() => setOver(buffer.index)}>
                <rect x={x(first)} y={y(buffer.offset! + buffer.bytes)} width={w} height={h} rx={2} fill={family(op(buffer.name))} opacity={over === buffer.index ? 0.95 : 0.6} />
                <title>{`${buffer.name} ${dims(buffer.shape)}, ${bytes(buffer.bytes)}`}</title>
                {w > 52 && h > 13 && <text x={x(first) + 5} y={y(buffer.offset! + buffer.bytes) + 13} style={{ fill: "var(--ink)" }}>{buffer.name.slice(0, Math.floor(w / 7))}</text>}
              </g>
            );
          })}
          <line class="axis" x1={left} x2={width} y1={y(0)} y2={y(0)} />
          <line x1={left} x2={width} y1={y(planned.bound)} y2={y(planned.bound)} stroke="var(--bad)" stroke-dasharray="5 4" />
          <text x={width} y={planned.bound < arena ? y(planned.bound) - 5 : y(arena) - 3} text-anchor="end">{t(planned.bound < arena ? "leastPossible" : "peakLeast")}</text>
          {planned.steps.map((_, step) => step % every === 0 && (
            <>
              <line class="axis" x1={x(step)} x2={x(step)} y1={y(0)} y2={y(0) + 4} />
              <text x={x(step + 0.5)} y={y(0) + 15} text-anchor="middle">{step}</text>
            </>
          ))}
          <text x={width} y={height - 4} text-anchor="end">{t("memoryAxis")}</text>
        </svg>
        <p class="small soft" role="status">
          {over === undefined ? " " : described(over)}
        </p>
      </Scroll>
    </div>
  );
}

/** The name under which the plan knows a declared layer: that of what it was fused into. */
function fusedName(compiler: Compiler, layer: number): string {
  return compiler.fused.find((node) => node.covers.includes(layer))?.name ?? "";
}

/** A step's function three times: loop code, Cranelift's IR, machine code; lines of one origin lit together. */
function CodeView({ planned, layer }: { planned: Planned; layer: string }) {
  const first = planned.steps.find((step) => step.layer === layer && planned.code[step.code].loops.some((line) => line.includes("tile_")));
  const [chosen, setChosen] = useState(first?.code ?? planned.steps.find((step) => step.layer === layer)?.code ?? planned.steps[0]?.code ?? 0);
  const code = planned.code[chosen];
  const users = planned.steps.filter((step) => step.code === chosen).map((step) => step.layer);
  return (
    <div>
      <div class="bar">
        <select aria-label={t("code")} value={chosen} onChange={(event) => setChosen(Number(event.currentTarget.value))}>
          {planned.code.map((one, i) => {
            const layers = [...new Set(planned.steps.filter((step) => step.code === i).map((step) => step.layer))];
            return <option value={i}>{one.name}{layers.length ? ` (${layers.slice(0, 3).join(", ")}${layers.length > 3 ? ", …" : ""})` : ""}</option>;
          })}
        </select>
        <span class="soft small">{[...new Set(users)].join(", ")}</span>
      </div>
      <Listing code={code} choose={(name) => setChosen((now) => { const found = planned.code.findIndex((one) => one.name.startsWith(`${name}_`)); return found < 0 ? now : found; })} />
    </div>
  );
}

interface CodeLine { text: string; origin?: number }

function Listing({ code, choose }: { code: Code; choose: (name: string) => void }) {
  const [lit, setLit] = useState<number | undefined>();
  useEffect(() => setLit(undefined), [code]);
  const columns: { title: Key; lines: CodeLine[] }[] = useMemo(() => {
    const origins = ({ text, lines }: CodeText) => text.trimEnd().split("\n").map((line, i) => ({ text: line, origin: lines[i] || undefined }));
    return [
      { title: "loopCode", lines: code.loops.map((text, i) => ({ text, origin: i + 1 })) },
      { title: "clif", lines: code.clif.text ? origins(code.clif) : [] },
      { title: "asm", lines: origins(code.asm) },
    ];
  }, [code]);
  const shown = columns.filter((column) => column.lines.length > 0);
  return (
    <>
      <p class="soft">{t(shown.length === 1 ? "noClif" : code.asm.lines.length ? "codeHint" : "noOrigins")}</p>
      <div class="codes" style={shown.length === 1 ? { gridTemplateColumns: "minmax(0, 1fr)" } : {}}>
        {shown.map((column) => <Column title={column.title} lines={column.lines} lit={lit} light={setLit} choose={choose} />)}
      </div>
      <p class="visually-hidden" role="status">{lit !== undefined && shown.map(({ title, lines }) => `${t(title)}: ${lines.filter((line) => line.origin === lit).map((line) => line.text.trim()).join("; ")}`).join(". ")}</p>
    </>
  );
}

/** One text of the code. Its lines are pointed at, or gone through with the arrow keys. */
function Column({ title, lines, lit, light, choose }: { title: Key; lines: CodeLine[]; lit?: number; light: (origin?: number) => void; choose: (name: string) => void }) {
  const box = useRef<HTMLPreElement>(null);
  const over = useRef(false);
  const at = useRef(-1);
  useEffect(() => {
    if (over.current || lit === undefined) return;
    const line = box.current?.querySelector<HTMLElement>(".lit");
    if (line && box.current) box.current.scrollTop = line.offsetTop - box.current.clientHeight / 3;
  }, [lit, lines]);
  const walk = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!by) return;
    // From line to line of another origin, beginning at what is lit.
    let next = lines[at.current]?.origin === lit && lit !== undefined ? at.current : lines.findIndex((line) => line.origin === lit && lit !== undefined);
    do next += by; while (lines[next] && (lines[next].origin === undefined || lines[next].origin === lit));
    if (!lines[next]) return;
    event.preventDefault();
    at.current = next;
    light(lines[next].origin);
    (box.current?.children[next] as HTMLElement | undefined)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <section>
      <h3>{t(title)}</h3>
      <pre ref={box} tabIndex={0} style={{ position: "relative" }} aria-label={t(title)} role="region" onKeyDown={walk} onFocus={() => { over.current = true; }} onBlur={() => { over.current = false; }} onPointerEnter={() => { over.current = true; }} onPointerLeave={() => { over.current = box.current === document.activeElement; }}>
        {lines.map(({ text, origin }) => {
          const tile = /\btile_\d+(?=\(|_)/.exec(text);
          return (
            <div class={origin !== undefined && origin === lit ? "lit live" : origin === undefined ? "" : "live"} data-origin={origin} onPointerEnter={() => origin !== undefined && light(origin)} onClick={() => { if (tile) choose(tile[0]); }}>
              {text || " "}
            </div>
          );
        })}
      </pre>
    </section>
  );
}

/** Times as bars, and as dots under the machine's roofs. */
function Times({ planned }: { planned: Planned }) {
  const measured = planned.steps.map((step, index) => ({ ...step, index, ms: step.ms ?? 0 }));
  if (planned.steps.every((step) => step.ms === null)) return <p>{t("notMeasured")}</p>;
  const total = measured.reduce((sum, step) => sum + step.ms, 0);
  const slowest = Math.max(...measured.map((step) => step.ms));
  return (
    <div>
      <p>{t("measuredOn", { target: planned.target, threads: planned.threads, total: duration(total) })}</p>
      {planned.roofs && <Roofline steps={measured} roofs={planned.roofs} />}
      <Scroll label={t("times")}>
        <table class="data plan">
          <thead><tr><th class="r">{t("stepN")}</th><th>{t("layer")}</th><th>{t("kernel")}</th><th class="r">{t("time")}</th><th class="r">{t("share")}</th><th class="r">GFLOP/s</th></tr></thead>
          <tbody>
            {measured.map((step) => (
              <tr>
                <td class="r">{step.index}</td><td>{step.layer}</td><td><code>{step.kernel}</code></td>
                <td class="r" style={{ background: `linear-gradient(to left, var(--share) ${(100 * step.ms) / slowest}%, transparent 0)` }}>{duration(step.ms)}</td>
                <td class="r">{((100 * step.ms) / total).toFixed(1)} %</td>
                <td class="r">{step.multiplications ? short((2 * step.multiplications) / step.ms / 1e6) : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </div>
  );
}

function Roofline({ steps, roofs: [flops, bandwidth] }: { steps: { layer: string; op: string; kernel: string; multiplications: number; bytes: number; ms: number; index: number }[]; roofs: [number, number] }) {
  const dots = steps.filter((step) => step.multiplications > 0 && step.ms > 0).map((step) => ({
    ...step,
    intensity: (2 * step.multiplications) / Math.max(step.bytes, 1),
    rate: (2 * step.multiplications) / (step.ms / 1e3),
  }));
  if (!dots.length) return null;
  const [width, height, left, bottom] = [900, 380, 70, 40];
  const low = Math.floor(Math.log10(Math.min(...dots.map((dot) => dot.intensity), flops / bandwidth))) ;
  const high = Math.ceil(Math.log10(Math.max(...dots.map((dot) => dot.intensity), flops / bandwidth)));
  const top = Math.ceil(Math.log10(Math.max(...dots.map((dot) => dot.rate), flops)) * 2) / 2;
  const base = Math.floor(Math.log10(Math.min(...dots.map((dot) => dot.rate))));
  const x = (n: number) => left + ((width - left - 24) * (Math.log10(n) - low)) / Math.max(high - low, 1);
  const y = (n: number) => (height - bottom) * (1 - (Math.log10(n) - base) / Math.max(top - base, 1)) + 6;
  const ridge = flops / bandwidth;
  const decades = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const start = Math.max(10 ** low, 10 ** base / bandwidth);
  return (
    <>
      <p class="small">{t("roofText", { flops: short(flops / 1e9), bytes: short(bandwidth / 1e9) })}</p>
      <Scroll class="panel chartbox" label={t("times")} style={{ marginBottom: "1rem" }}>
        <svg class="chart" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("times")}>
          {decades(low, high).map((n) => <><line class="gridline" x1={x(10 ** n)} x2={x(10 ** n)} y1={6} y2={height - bottom + 6} /><text x={x(10 ** n)} y={height - bottom + 22} text-anchor="middle">{short(10 ** n)}</text></>)}
          {decades(base, Math.floor(top)).map((n) => <><line class="gridline" x1={left} x2={width - 10} y1={y(10 ** n)} y2={y(10 ** n)} /><text x={left - 6} y={y(10 ** n) + 4} text-anchor="end">{short(10 ** (n - 9))}</text></>)}
          <text transform={`translate(14,${(height - bottom) / 2}) rotate(-90)`} text-anchor="middle">GFLOP/s</text>
          <text x={width - 10} y={height - 4} text-anchor="end">{t("intensity")} →</text>
          <path d={`M${x(start)},${y(start * bandwidth)}L${x(ridge)},${y(flops)}L${width - 10},${y(flops)}`} fill="none" stroke="var(--bad)" stroke-width="2" />
          {dots.map((dot) => (
            <circle cx={x(dot.intensity)} cy={y(dot.rate)} r={5 + 9 * Math.sqrt(dot.ms / Math.max(...dots.map((one) => one.ms)))} fill={family(dot.op)} opacity={0.65} stroke="var(--panel)">
              <title>{`${dot.layer}: ${dot.kernel}, ${duration(dot.ms)}, ${short(dot.rate / 1e9)} GFLOP/s`}</title>
            </circle>
          ))}
          {dots.length <= 12 && dots.map((dot) => <text x={x(dot.intensity) + 14} y={y(dot.rate) - 8} style={{ fill: "var(--ink)" }}>{dot.layer}</text>)}
        </svg>
      </Scroll>
    </>
  );
}
