// The same pages in Debian's Firefox, over WebDriver BiDi: they open, every view shows, sums are the engine's, a cell follows
// the keyboard, nothing is complained about.

import puppeteer from "puppeteer-core";
import { checked, show, VIEWS } from "./views.mjs";

export async function firefox(files, folder, expect) {
  const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true, timeout: 120_000 });
  try {
    console.log(` ${await browser.version()}`);
    for (const file of files) {
      const name = file.split("/").at(-1).replace(".html", "");
      const page = await browser.newPage();
      await page.setViewport({ width: 1360, height: 900 });
      page.on("console", (message) => expect(message.type() !== "error", `Firefox ${name}: console: ${message.text()}`));
      page.on("pageerror", (error) => expect(false, `Firefox ${name}: ${error.message}`));
      await page.goto(`file://${file}`);
      await page.waitForFunction(() => window.cnn);
      const found = await checked(page, 100);
      console.log(`  ${name}: ${found.checked} cells of ${found.layers} layers are the engine's to the last digit but ${found.wrong.length}`);
      expect(found.wrong.length === 0, `Firefox ${name}: ${found.wrong.slice(0, 3).join("; ")}`);
      expect(found.without.length === 0, `Firefox ${name}: no cell can be followed of ${found.without.slice(0, 5).join(", ")}`);
      for (const view of VIEWS) {
        await show(page, `view=${view}`);
        const [words, wide] = await page.evaluate(() => [document.querySelector("main").innerText.trim().length, document.documentElement.scrollWidth - innerWidth]);
        expect(words > 20 && wide <= 0, `Firefox ${name} ${view}: ${words} characters, ${wide} pixels too wide`);
        await page.screenshot({ path: `${folder}${name}-${view.replace("&part=", "-")}-firefox.png` });
      }
      await show(page, "view=layer");
      const title = () => page.evaluate(() => document.querySelector(".work h3").innerText);
      const before = await title();
      await page.focus(".map.live");
      await page.keyboard.press("ArrowRight");
      expect((await title()) !== before, `Firefox ${name}: the arrow keys move the cell`);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}
