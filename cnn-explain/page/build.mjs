// Builds dist/page.html: one template with style and script inside; the program puts a network's data at its mark.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";

const result = await build({
  entryPoints: ["src/main.tsx"],
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  write: false,
});
// `</script` in a string would end the script.
const script = result.outputFiles[0].text.replaceAll("</script", "<\\/script");
const style = (await build({ entryPoints: ["src/style.css"], minify: true, write: false })).outputFiles[0].text;
const licences = ["preact", "@dagrejs/dagre", "d3-zoom", "d3-selection"]
  .map((name) => {
    const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
    return `${name} ${version} (${license})\n\n${text}`;
  })
  .join("\n\n----\n\n");
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

// Nothing leaves the page: no address but its own server's (the live page) may be asked for anything.
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  "style-src 'unsafe-inline'",
  "img-src data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const fill = (template, values) => template.replace(/%(\w+)%/g, (mark, name) => values[name] ?? mark);
mkdirSync("dist", { recursive: true });
writeFileSync(
  "dist/page.html",
  fill(readFileSync("src/page.html", "utf8"), { POLICY: policy, STYLE: style, SCRIPT: script }),
);
writeFileSync("dist/LICENCES.txt", `The page contains parts of these libraries.\n\n${licences}\n`);
console.log(`dist/page.html: ${(readFileSync("dist/page.html").length / 1024).toFixed(0)} KiB`);
