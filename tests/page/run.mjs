// Opens pages that `cnn explain` writes in real Chromium and Firefox and uses them: every view, sums against the engine's numbers,
// no console error, no request, no serious accessibility finding. Screenshots stay in target/page.
//
// node run.mjs [PROGRAM [SECTION…]]     (default: target/debug/cnn, all of it; `setup.sh` installs the rest)

import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { firefox } from "./firefox.mjs";
import { hostile, quantised } from "./onnx.mjs";
import { keyboard, structure } from "./reader.mjs";
import { checked, show, VIEWS } from "./views.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = process.argv[2] ?? `${root}target/debug/cnn`;
const folder = `${root}target/page/`;
mkdirSync(folder, { recursive: true });
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const sections = process.argv.slice(3);
const faults = [];
const expect = (holds, what) => {
  if (!holds) {
    faults.push(what);
    console.log(`  FAULT ${what}`);
  }
};

/** Milliseconds against what is wanted. Times on a machine that others use as well are told; only what cannot be their doing fails. */
const prompt = (took, wanted, what) => {
  if (took > wanted) console.log(`  ${what} took ${took.toFixed(1)} ms of work; ${wanted} are wanted`);
  expect(took <= 6 * wanted, `${what} takes ${took} ms`);
};

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A part of the test, if it is asked for. */
async function section(name, body) {
  if (sections.length && !sections.includes(name)) return;
  console.log(name);
  await body();
}

/** Of each open page: milliseconds its thread has worked. */
const work = new WeakMap();

/** A page on a file or address, that reports what must not happen. */
async function open(address, { width = 1360, height = 900, scheme = "light", language = "en" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: language === "ko" ? "ko-KR" : "en-GB", bypassCSP: false });
  const page = await context.newPage();
  // The live server refuses a faulty text with 422, which the browser notes; the page shows the reasons.
  const refusal = (words) => address.startsWith("http") && words.includes("status of 422");
  page.on("console", (message) => expect(message.type() !== "error" || refusal(message.text()), `${address}: console: ${message.text()}`));
  page.on("pageerror", (error) => expect(false, `${address}: ${error.message}`));
  page.on("dialog", (dialog) => {
    expect(false, `${address}: a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    const own = url === address || url.startsWith("data:") || url.startsWith("blob:") || (address.startsWith("http") && url.startsWith(address));
    expect(own, `${address}: asks for ${url}`);
  });
  work.set(page, await worked(page));
  await page.goto(address);
  await page.waitForFunction(() => window.cnn);
  return page;
}

async function accessible(page, what) {
  // The page's policy allows no foreign script: axe comes through the debugger.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const one of found.violations.filter(({ impact }) => impact === "serious" || impact === "critical")) {
    expect(false, `${what}: ${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`);
  }
}

const shot = (page, name) => page.screenshot({ path: `${folder}${name}.png` });

/** Every view of a page, in one appearance. */
async function views(file, name, appearance, look, audit = true) {
  const page = await open(`file://${file}`, look);
  for (const view of VIEWS) {
    await show(page, `view=${view}`);
    const label = `${name} ${view.replace("&part=", " ")} ${appearance}`;
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(wide <= 0, `${label}: ${wide} pixels too wide`);
    const words = await page.evaluate(() => document.querySelector("main").innerText.trim().length);
    expect(words > 20, `${label}: empty`);
    if (audit) {
      await accessible(page, label);
      await structure(page, label, expect);
    }
    await shot(page, `${name}-${view.replace("&part=", "-")}-${appearance}`);
  }
  await page.context().close();
}

/** Every cell the page can explain, or some hundreds of each layer, against the engine's numbers. */
async function sums(page, name, most = 400) {
  const found = await checked(page, most);
  console.log(`  ${found.checked} cells of ${found.layers} layers are the engine's to the last digit but ${found.wrong.length}`);
  expect(found.wrong.length === 0, `${name}: ${found.wrong.length} sums are wrong: ${found.wrong.slice(0, 3).join("; ")}`);
  expect(found.without.length === 0, `${name}: no cell can be followed of ${found.without.slice(0, 5).join(", ")}`);
}

/** Milliseconds that the page's thread has worked since it was opened: what other programs take does not count. */
async function worked(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
  };
}

/** Milliseconds from pointing at a cell to the work shown, for many cells of a layer: on the clock, and worked. */
async function pointing(page, layer) {
  await show(page, `view=layer&layer=${encodeURIComponent(layer)}`);
  const busy = work.get(page);
  const before = await busy();
  const times = await page.evaluate(async () => {
    const map = document.querySelector(".map.live");
    const box = map.getBoundingClientRect();
    const times = [];
    for (let i = 0; i < 60; i++) {
      const [x, y] = [box.left + (box.width * ((i * 37) % 60)) / 60, box.top + (box.height * i) / 60];
      const begin = performance.now();
      map.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
      await new Promise((done) => { const channel = new MessageChannel(); channel.port1.onmessage = done; channel.port2.postMessage(0); });
      void document.body.offsetHeight; // styles and layout belong to it
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b);
  });
  return { cpu: ((await busy()) - before) / times.length, median: times[30], most: times[57] };
}

const start = promisify(execFile);

function explain(...words) {
  execFileSync(program, ["explain", ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

writeFileSync(`${folder}hostile.onnx`, hostile("<script>alert(1)</script><img src=x onerror=alert(2)>"));
const TOML = `name = "</script><script>alert(3)</script>"\n# <img src=x onerror=alert(4)> -->\n[inputs]\nx = [1, 6, 6]\n\n[[layer]]\nname = "c"\nop = "conv"\nfilters = 2\nkernel = 3\npadding = "same"\n`;
writeFileSync(`${folder}hostile.toml`, TOML);

writeFileSync(`${folder}quantised.onnx`, quantised());

/** Every kind of recurrent cell and direction; the second's numbers are too many to be kept whole. */
const recurrent = (shape, units) => `[inputs]\nsound = [${shape}]\n\n` + [
  `name = "forth"\nop = "lstm"\nunits = ${units}`,
  `name = "both"\nop = "gru"\nunits = ${units}\ndirection = "both"`,
  `name = "back"\nop = "gru"\nunits = ${units}\ndirection = "reverse"\nreset_after = false`,
  `name = "plain"\nop = "lstm"\nunits = ${units}\ndirection = "both"\nbias = false`,
].map((layer) => `[[layer]]\n${layer}\n`).join("\n");
writeFileSync(`${folder}recurrent.toml`, recurrent("2, 9, 12", 7));
writeFileSync(`${folder}large-recurrent.toml`, recurrent("1, 40, 300", 250));

const NETWORKS = [
  { name: "lenet5", words: ["lenet5"], limit: 1.5e6, point: "c3" },
  { name: "inception", words: ["inception_naive"], limit: 10e6, point: "inception.b5" },
  { name: "resnet18", words: ["resnet18"], limit: 10e6, point: "layer3.1.conv2" },
  { name: "recurrent", words: [`${folder}recurrent.toml`], limit: 1.5e6, point: "forth" },
  { name: "large-recurrent", words: [`${folder}large-recurrent.toml`], limit: 10e6, point: "forth" },
  { name: "integers", words: [`${root}tests/fixtures/ops/integers_block.toml`], limit: 1.5e6, point: "b" },
  { name: "quantised-onnx", words: [`${folder}quantised.onnx`], limit: 1.5e6 },
  { name: "onnx", words: [`${root}cnn-onnx/tests/models/residual.onnx`], limit: 10e6 },
  { name: "hostile-onnx", words: [`${folder}hostile.onnx`], limit: 1.5e6 },
  { name: "hostile-toml", words: [`${folder}hostile.toml`], limit: 1.5e6, point: "c" },
];

for (const { name, words } of NETWORKS) explain(...words, "-o", `${folder}${name}.html`);

await section("networks", async () => {
  for (const { name, limit, point } of NETWORKS) {
    console.log(` ${name}`);
    const file = `${folder}${name}.html`;
    const size = statSync(file).size;
    expect(size <= limit, `${name}: ${size} bytes`);
    const page = await open(`file://${file}`);
    const shown = await page.evaluate(() => performance.getEntriesByName("cnn-shown")[0].startTime);
    const busy = await work.get(page)();
    console.log(`  ${(size / 1e6).toFixed(2)} MB, shown after ${shown.toFixed(0)} ms, ${busy.toFixed(0)} of them work`);
    prompt(busy, 1000, `${name}: the first view`);
    await sums(page, name);
    if (point) {
      const { cpu, median, most } = await pointing(page, point);
      console.log(`  pointing at a cell of ${point}: ${cpu.toFixed(1)} ms of work; on the clock ${median.toFixed(1)}, at most ${most.toFixed(1)}`);
      prompt(cpu, 16, `${name}: pointing at a cell`);
    }
    await page.context().close();
    await views(file, name, "light", {}, ["lenet5", "resnet18", "recurrent", "integers", "onnx"].includes(name));
  }
});

await section("appearances", async () => {
  await views(`${folder}lenet5.html`, "lenet5", "dark", { scheme: "dark" });
  await views(`${folder}lenet5.html`, "lenet5", "narrow", { width: 420, height: 860 });
  await views(`${folder}lenet5.html`, "lenet5", "korean", { language: "ko" });
  {
    const page = await open(`file://${folder}resnet18.html`, { language: "ko" });
    await show(page, "view=compiler&part=passes");
    const lessons = await page.locator(".pass > p").allInnerTexts();
    expect(lessons.length > 5 && lessons.every((words) => /[가-힣]/.test(words)), `lessons that are not Korean: ${lessons.filter((words) => !/[가-힣]/.test(words))}`);
    await page.context().close();
  }
  await views(`${folder}resnet18.html`, "resnet18", "narrow-dark", { width: 420, height: 860, scheme: "dark" });
});

await section("built-in", async () => {
  const BUILT_IN = execFileSync(program, ["--help"], { encoding: "utf8" }).split("built-in model:\n")[1].split("\n").flatMap((line) => /^ {2}(\w+) {2,}/.exec(line)?.[1] ?? []);
  expect(BUILT_IN.length > 10, `built-in networks: ${BUILT_IN}`);
  for (const name of BUILT_IN) {
    const file = `${folder}builtin-${name}.html`;
    explain(name, "-o", file);
    const size = statSync(file).size;
    expect(size <= (name === "lenet5" ? 1.5e6 : 10e6), `${name}: ${size} bytes`);
    const page = await open(`file://${file}`);
    const shown = await page.evaluate(() => performance.getEntriesByName("cnn-shown")[0].startTime);
    const busy = await work.get(page)();
    console.log(` ${name}: ${(size / 1e6).toFixed(2)} MB, shown after ${shown.toFixed(0)} ms, ${busy.toFixed(0)} of them work`);
    prompt(busy, 1000, `${name}: the first view`);
    await sums(page, name, 60);
    for (const view of VIEWS) {
      await show(page, `view=${view}`);
      expect((await page.locator("main").innerText()).trim().length > 20, `${name} ${view}: empty`);
    }
    await page.context().close();
  }
});

await section("operators", async () => {
  // Every operator's fixture: its last layer is shown, every cell of every layer is the engine's.
  const fixtures = readdirSync(`${root}tests/fixtures/ops`).filter((name) => name.endsWith(".toml"));
  expect(fixtures.length > 300, `fixtures: ${fixtures.length}`);
  let cells = 0;
  // Two at a time: one network is explained while another's page is looked at.
  const worker = async (which) => {
    const file = `${folder}operator-${which}.html`;
    let page;
    for (let fixture = fixtures.pop(); fixture; fixture = fixtures.pop()) {
      await start(program, ["explain", `${root}tests/fixtures/ops/${fixture}`, "-o", file]);
      page ??= await open(`file://${file}`);
      await page.goto("about:blank");
      await page.goto(`file://${file}`);
      await page.waitForFunction(() => window.cnn);
      const found = await checked(page, 60);
      cells += found.checked;
      expect(found.wrong.length === 0, `${fixture}: ${found.wrong.slice(0, 3).join("; ")}`);
      expect(found.without.length === 0, `${fixture}: no cell can be followed of ${found.without.join(", ")}`);
      const last = await page.evaluate(() => {
        const { name } = window.cnn.network.layers.at(-1);
        location.hash = `view=layer&layer=${encodeURIComponent(name)}`;
        return name;
      });
      const shown = page.locator('[data-same="true"]').waitFor({ timeout: 5000 });
      await shown.catch(() => expect(false, `${fixture}: the work on ${last} is not shown`));
    }
    await page.context().close();
  };
  const count = fixtures.length;
  await Promise.all([worker(0), worker(1)]);
  console.log(` ${count} networks, ${cells} cells are the engine's to the last digit`);
});

await section("layers", async () => {
  const page = await open(`file://${folder}lenet5.html`);
  const layers = await page.evaluate(() => window.cnn.network.layers.map((layer) => layer.name));
  for (const layer of layers) {
    await show(page, `view=layer&layer=${layer}`);
    const same = await page.evaluate(() => document.querySelector("[data-same]")?.dataset.same);
    expect(same === "true" || layer === "image", `lenet5 ${layer}: the work shown is not the engine's`);
  }
  await show(page, "view=course");
  const stops = await page.locator(".course nav a").count();
  for (let stop = 0; stop < stops; stop++) {
    await page.locator(".course nav a").nth(stop).click();
    await page.waitForTimeout(120);
    const wrong = await page.locator('[data-same="false"]').count();
    expect(wrong === 0, `course stop ${stop + 1}: a sum is wrong`);
    await accessible(page, `course stop ${stop + 1}`);
    await shot(page, `course-${String(stop + 1).padStart(2, "0")}`);
  }
  // The keyboard: a cell moves, a layer is found.
  await show(page, "view=layer&layer=c1");
  const title = () => page.locator(".work h3").first().innerText();
  const before = await title();
  await page.locator(".map.live").focus();
  await page.keyboard.press("ArrowRight");
  expect((await title()) !== before, "the arrow keys move the cell");
  // The code: what came from one line is lit in all three columns, by pointer and by keyboard.
  await show(page, "view=compiler&part=code&layer=c3");
  const lit = () => page.evaluate(() => [...document.querySelectorAll(".codes pre")].map((column) => column.querySelectorAll(".lit").length));
  await page.locator(".codes pre").first().locator("div", { hasText: "tile_" }).first().hover();
  expect((await lit()).length === 3 && (await lit()).every((count) => count > 0), `a call is lit in ${await lit()} lines`);
  const first = await page.locator(".codes pre .lit").first().innerText();
  await page.locator(".codes pre").first().focus();
  await page.keyboard.press("ArrowUp");
  expect((await page.locator(".codes pre .lit").first().innerText()) !== first, "the arrow keys go through the code");
  // The fused graph: a layer that was fused away lights the one it went into, and that one lights it.
  await show(page, "view=compiler&part=fused");
  const [declared, fused] = [page.locator(".two .graph").first(), page.locator(".two .graph").last()];
  const names = (graph) => graph.locator(".node.lit title").allTextContents();
  for (const [name, into] of [["c1", "c1"], ["s2", "s2"]]) {
    await declared.locator(".node", { hasText: name }).first().hover();
    expect((await names(fused)).some((title) => title.startsWith(`${into}:`)), `${name} lights ${await names(fused)}`);
    await fused.locator(".node.lit").first().hover();
    expect((await names(declared)).some((title) => title.startsWith(`${name}:`)), `${into} lights ${await names(declared)}`);
  }
  await declared.locator(".node").first().focus();
  await page.keyboard.press("Tab");
  const second = await names(fused);
  await page.keyboard.press("Tab");
  expect(second.length > 0 && (await names(fused)).join() !== second.join(), "Tab lights layer after layer");
  // A window jumps by the stride.
  await show(page, "view=layer&layer=c1");
  const cell = await title();
  await page.getByRole("button", { name: /Jump down by the stride/ }).click();
  expect((await title()) !== cell, "the window jumps");
  await show(page, "view=network");
  await page.getByRole("searchbox").fill("f6");
  await page.keyboard.press("Enter");
  expect((await page.locator("aside h2").innerText()) === "f6", "the search finds a layer");
  await keyboard(page, show, expect);
  // On paper: dark pages too are printed on white, and whole.
  await page.emulateMedia({ colorScheme: "dark" });
  for (const view of VIEWS) {
    await show(page, `view=${view}`);
    const printed = await page.pdf({ path: `${folder}lenet5-${view.replace("&part=", "-")}-print.pdf`, format: "A4" });
    expect(printed.length > 5000, `lenet5 ${view}: an empty print`);
  }
  await show(page, "view=network");
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  const paper = await page.evaluate(() => ({ theme: document.documentElement.dataset.theme, moved: document.querySelector(".graph svg > g").hasAttribute("transform") }));
  expect(paper.theme === "light" && !paper.moved, `printed ${JSON.stringify(paper)}`);
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  const screen = await page.evaluate(() => ({ theme: document.documentElement.dataset.theme, moved: document.querySelector(".graph svg > g").hasAttribute("transform") }));
  expect(screen.theme === "dark" && screen.moved, `after printing ${JSON.stringify(screen)}`);
  await page.context().close();
});

await section("live", async () => {
  const server = spawn(program, ["explain", "lenet5", "--serve", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const told = await new Promise((done) => server.stdout.once("data", (words) => done(String(words))));
    const address = /http:\S+/.exec(told)[0];
    const refused = async (headers, method = "GET", path = "data") => (await fetch(address + path, { method, headers, body: method === "POST" ? "x" : undefined })).status;
    expect((await refused({ Origin: "http://example.com" })) === 403, "another origin is refused");
    expect((await refused({ "Sec-Fetch-Site": "cross-site" })) === 403, "another site is refused");
    expect((await refused({}, "POST", "text")) === 403, "a change without an origin is refused");
    expect((await refused({}, "GET", "etc/passwd")) === 404, "nothing else is served");
    expect((await (await fetch(`${address}image`)).arrayBuffer()).byteLength === 4 * 32 * 32, "the image is served whole");
    const page = await open(address);
    await show(page, "view=desk&layer=c1");
    await accessible(page, "desk");
    await shot(page, "lenet5-desk");
    const paint = await page.locator(".paint").boundingBox();
    await page.getByRole("button", { name: "Clear" }).click();
    const at = (u, v) => [paint.x + paint.width * u, paint.y + paint.height * v];
    await page.mouse.move(...at(0.5, 0.2));
    await page.mouse.down();
    for (let v = 0.2; v <= 0.8; v += 0.02) await page.mouse.move(...at(0.5, v));
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector(".bars .on")?.textContent === "1", undefined, { timeout: 10_000 }).catch(() => expect(false, "a drawn 1 is read as a 1"));
    await shot(page, "lenet5-desk-drawn");
    // Without a mouse: the cursor goes down, the space bar paints; then a file that is no picture is refused in words.
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("button", { name: "Pixel" }).click();
    await page.locator(".paint").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press(" ");
    await page.waitForFunction(() => window.cnn.network.layers[0].value.at(0, 1, 0) === 1, undefined, { timeout: 10_000 }).catch(() => expect(false, "the space bar paints"));
    const words = await page.evaluateHandle(() => {
      const files = new DataTransfer();
      files.items.add(new File(["words"], "words.txt", { type: "text/plain" }));
      return files;
    });
    await page.dispatchEvent(".paint", "drop", { dataTransfer: words });
    await page.waitForFunction(() => document.querySelector(".paint ~ .problem")?.textContent.includes("words.txt"), undefined, { timeout: 5000 }).catch(() => expect(false, "what is no picture is refused"));
    const editor = page.locator(".editor textarea");
    const source = await editor.inputValue();
    await editor.fill(source.replace("kernel = 5", "kernel = 70"));
    await page.waitForSelector(".editor ~ [role=status] .problem");
    const said = await page.locator(".editor ~ [role=status] .problem").first().innerText();
    expect(/12:\d+/.test(said) && said.includes("70"), `an error stands at its line: ${said}`);
    await shot(page, "lenet5-desk-error");
    await editor.fill(source.replace("kernel = 5", "kernel = 3"));
    await page.waitForFunction(() => window.cnn.network.layers[1].shape.join() === "6,30,30");
    await sums(page, "lenet5 with another kernel");
    // Sliders, dragged with the mouse: from where they stand to a share of their way.
    await editor.fill(source);
    const c1 = (rows) => page.waitForFunction((rows) => window.cnn.network.layers[1].shape[1] === rows && !document.querySelector(".editor ~ [role=status] .problem"), rows, { timeout: 10_000 }).catch(() => expect(false, `the sliders lead to ${rows} rows`));
    await c1(28);
    const drag = async (key, share) => {
      const slider = page.locator("label", { hasText: key }).locator("input[type=range]");
      const { x, y, width, height } = await slider.boundingBox();
      const [value, min, max] = await slider.evaluate((one) => [one.value, one.min, one.max].map(Number));
      const at = (share) => [x + 8 + (width - 16) * share, y + height / 2];
      await page.mouse.move(...at((value - min) / (max - min)));
      await page.mouse.down();
      await page.mouse.move(...at(share), { steps: 3 });
      await page.mouse.up();
    };
    await page.getByRole("button", { name: "+ padding" }).click();
    await c1(30);
    await drag("kernel", 0.2); // 3
    await c1(32);
    await drag("padding", 0); // 0
    await c1(30);
    await page.getByRole("button", { name: "+ stride" }).click();
    await page.waitForSelector(".editor ~ [role=status] .problem"); // nothing is left for c5's windows
    await drag("stride", 0);
    await c1(30);
    await sums(page, "lenet5 after dragging", 60);
    await page.context().close();
  } finally {
    server.kill();
  }
});

await browser.close();

await section("firefox", () => firefox(["lenet5", "resnet18", "recurrent"].map((name) => `${folder}${name}.html`), folder, expect));

console.log(faults.length ? `${faults.length} faults` : "the page is sound");
process.exitCode = faults.length ? 1 : 0;
