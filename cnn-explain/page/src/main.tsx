/** The page's frame: title, views, language, theme; reads the data and shows the view that the address names. */

import { render } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import { explain, Missing } from "./arithmetic/explain";
import { CompilerView } from "./compiler";
import { CourseView } from "./course";
import { DeskView } from "./desk";
import { LayerView } from "./layer";
import { embedded, unpack, type Network } from "./load";
import { MapsView } from "./maps";
import { NetworkView } from "./network";
import { whenPrinted } from "./printing";
import { AppContext, readState, VIEWS, writeState, type State } from "./state";
import { setLanguage, t, type Key, type Language } from "./strings";
import { TableView } from "./table";
import { applyTheme, ThemeContext, type Theme } from "./theme";

/** What the reader chose before, where the browser lets a page remember. */
function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`cnn-explain-${key}`);
  } catch {
    return null;
  }
}

function remember(key: string, value: string) {
  try {
    localStorage.setItem(`cnn-explain-${key}`, value);
  } catch {
    // The choice lasts as long as the page.
  }
}

const THEMES: Theme[] = ["auto", "light", "dark"];

function App({ network: first, live }: { network: Network; live: boolean }) {
  const [network, setNetwork] = useState(first);
  const [state, setState] = useState<State>(() => readState(network));
  const [language, chooseLanguage] = useState<Language>(() => (remembered("language") ?? (navigator.language.startsWith("ko") ? "ko" : "en")) as Language);
  const [theme, chooseTheme] = useState<Theme>(() => (remembered("theme") as Theme) ?? "auto");
  const [used, setUsed] = useState(() => applyTheme(theme));
  setLanguage(language);
  useEffect(() => {
    setUsed(applyTheme(theme));
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setUsed(applyTheme(theme));
    system.addEventListener("change", follow);
    // Paper is white.
    const done = whenPrinted(() => setUsed(applyTheme("light")), follow);
    return () => {
      system.removeEventListener("change", follow);
      done();
    };
  }, [theme]);
  const go = useCallback((change: Partial<State>) => {
    setState((now) => {
      const next = { ...now, ...change };
      if (change.view && change.view !== now.view) {
        if (change.part === undefined) next.part = "";
        window.scrollTo(0, 0);
      }
      history[change.view && change.view !== now.view ? "pushState" : "replaceState"](null, "", writeState(network, next));
      return next;
    });
  }, [network]);
  useEffect(() => {
    const follow = () => setState(readState(network));
    window.addEventListener("popstate", follow);
    window.addEventListener("hashchange", follow);
    return () => {
      window.removeEventListener("popstate", follow);
      window.removeEventListener("hashchange", follow);
    };
  }, [network]);
  useEffect(() => {
    document.title = `${network.name} · cnn explain`;
  }, [network]);
  const views = live ? [...VIEWS, "desk" as const] : VIEWS;
  /** The network after a change: it keeps the course, which no change touches, and the chosen layer by its name. */
  const replace = useCallback((next: Network) => {
    setNetwork((old) => {
      const whole = { ...next, course: next.course ?? old.course, lessons: next.course ? next.lessons : old.lessons, compiler: next.compiler ?? old.compiler };
      setState((now) => ({ ...now, layer: whole.byName.get(old.layers[now.layer]?.name) ?? Math.min(now.layer, whole.layers.length - 1) }));
      window.cnn = { network: whole, check: (layer, most) => check(whole, layer, most) };
      return whole;
    });
  }, []);
  const origin = (kind: string, what: "weights" | "input", text: string) => t(`${what}${kind[0].toUpperCase()}${kind.slice(1)}` as Key, { text });
  const themeNames: Record<Theme, Key> = { auto: "themeAuto", light: "themeLight", dark: "themeDark" };
  const nextTheme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  return (
    <AppContext.Provider value={{ network, state, go }}>
      <ThemeContext.Provider value={used}>
        <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>{t("skip")}</a>
        <header class="top">
          <div class="name"><h1>{network.name}</h1>{network.about && <span title={network.about}>{network.about}</span>}</div>
          <nav class="tabs" aria-label={t("views")}>
            {views.map((view) => (
              <a href={writeState(network, { ...state, view, part: "" })} aria-current={view === state.view ? "page" : undefined} onClick={(event) => { event.preventDefault(); go({ view }); }}>{t(view as Key)}</a>
            ))}
          </nav>
          <div class="right">
            <button type="button" lang={language === "en" ? "ko" : "en"} onClick={() => { const next = language === "en" ? "ko" : "en"; remember("language", next); chooseLanguage(next); }}>{t("language")}</button>
            <button type="button" aria-label={t(themeNames[theme])} title={t(themeNames[theme])} onClick={() => { remember("theme", nextTheme); chooseTheme(nextTheme); }}>{theme === "auto" ? "◐" : theme === "light" ? "☀" : "☾"}</button>
          </div>
        </header>
        <div class="notes">
          <span class={network.weights.kind === "random" ? "warn" : ""}>{origin(network.weights.kind, "weights", network.weights.text)}</span>
          <span>{origin(network.input.kind, "input", network.input.text)}</span>
          {network.reduced && <span>{t("reduced")}</span>}
        </div>
        <main id="main" tabIndex={-1}>
          <h2 class="visually-hidden view">{t(state.view as Key)}</h2>
          {state.view === "network" && <NetworkView />}
          {state.view === "layer" && <LayerView />}
          {state.view === "maps" && <MapsView />}
          {state.view === "table" && <TableView />}
          {state.view === "compiler" && <CompilerView />}
          {state.view === "course" && <CourseView />}
          {state.view === "desk" && live && <DeskView replace={replace} />}
        </main>
      </ThemeContext.Provider>
    </AppContext.Provider>
  );
}

declare global {
  interface Window {
    /** For the tests: the network, and the check of every cell the page can explain against the engine's number. */
    cnn?: { network: Network; check: (layer: number, most: number) => { checked: number; wrong: string[] } };
  }
}

/** Explains up to `most` cells of a layer and names those whose f32 is not the engine's. */
function check(network: Network, index: number, most: number) {
  const layer = network.layers[index];
  const wrong: string[] = [];
  let checked = 0;
  const cells = layer.value.boxes().flatMap(({ at, size }) => Array.from({ length: size[0] * size[1] * size[2] }, (_, i) => [
    at[0] + Math.floor(i / (size[1] * size[2])),
    at[1] + (Math.floor(i / size[2]) % size[1]),
    at[2] + (i % size[2]),
  ] as [number, number, number]));
  const every = Math.max(1, Math.floor(cells.length / most));
  // What the others need of a layer may lie where its own operands are not kept: the middle and the corner never do.
  const [, rows, columns] = layer.value.extent;
  const sure: [number, number, number][] = [[0, Math.floor((rows - 1) / 2), Math.floor((columns - 1) / 2)], [0, 0, 0]];
  for (const at of [...sure, ...cells.filter((_, i) => i % every === 0)]) {
    try {
      const cell = explain(network, layer, at);
      checked++;
      if (!cell.same) wrong.push(`${layer.name} (${at.join(", ")}): ${cell.result}, engine ${cell.engine}`);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
    }
  }
  return { checked, wrong };
}

async function start() {
  const root = document.getElementById("app")!;
  applyTheme((remembered("theme") as Theme) ?? "auto");
  try {
    const inside = embedded();
    const network = await unpack(inside ?? new Uint8Array(await (await fetch("data")).arrayBuffer()));
    window.cnn = { network, check: (layer, most) => check(network, layer, most) };
    root.textContent = "";
    render(<App network={network} live={!inside} />, root);
    performance.mark("cnn-shown");
  } catch (error) {
    root.textContent = `${t("broken")}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

void start();
