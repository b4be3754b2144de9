// Starts Chromium and has people use the node's pages in it: each has a context, and so cookies, of its own. It is told what
// to do as `drive.mjs` is.
//
//   node pages.mjs MICROPHONE.wav http://ADDRESS:PORT

import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { launch } from "./launch.mjs";

const [microphone, origin] = process.argv.slice(2);
/** Milliseconds for which a page may take. */
const PATIENCE = 20_000;
const THEMES = ["light", "dark"];
const SIZES = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } };

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const browser = await launch(microphone);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** The page of each, by name. */
const pages = new Map();

/** 16-bit samples at 8 kHz of what the page plays, in base64. A processor of scripts is old, but the page's policy allows it. */
function record(seconds) {
  const context = new AudioContext({ sampleRate: 8000 });
  const source = context.createMediaStreamSource(document.querySelector("#speaker").srcObject);
  const tape = context.createScriptProcessor(1024, 1, 1);
  const chunks = [];
  source.connect(tape).connect(context.destination);
  return new Promise((resolve) => {
    tape.onaudioprocess = ({ inputBuffer }) => {
      chunks.push(inputBuffer.getChannelData(0).slice());
      if (chunks.length * 1024 < seconds * 8000) return;
      tape.onaudioprocess = null;
      const samples = Int16Array.from(chunks.flatMap((it) => [...it]), (it) => Math.round(Math.max(-1, Math.min(1, it)) * 32767));
      resolve(new Uint8Array(samples.buffer).toBase64());
    };
  });
}

const commands = {
  async open({ who, path }) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ["microphone"], viewport: SIZES.wide });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.loaded = 0;
    page.on("console", (message) => process.stderr.write(`${who}: ${message.text()}\n`));
    page.on("pageerror", (error) => process.stderr.write(`${who}: ${error.stack}\n`));
    const protocol = await context.newCDPSession(page);
    await protocol.send("Network.enable");
    protocol.on("Network.loadingFinished", ({ encodedDataLength }) => (page.loaded += encodedDataLength));
    // A page in a call asks whether it may be left.
    page.on("dialog", (dialog) => dialog.accept());
    pages.set(who, page);
    await page.goto(origin + path);
  },

  async logIn({ who, password, path }) {
    await commands.open({ who, path });
    const page = pages.get(who);
    await page.getByLabel("Name").fill(who);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("header").waitFor();
  },

  async see({ who, text, within = "body" }) {
    const shown = ([within, text]) => [...document.querySelectorAll(within)].some((it) => it.innerText.includes(text)) && Date.now();
    const seen = await pages.get(who).waitForFunction(shown, [within, text], { polling: "raf" });
    return seen.jsonValue();
  },

  press: ({ who, button }) => pages.get(who).getByRole("button", { name: button }).first().click(),

  go: ({ who, path }) => pages.get(who).goto(origin + path),

  reload: ({ who }) => pages.get(who).reload(),

  /** Takes the network from all pages, that of their sound too, or gives it back: a process of the browser's own has it. */
  async cut({ isCut }) {
    const { processInfo } = await (await browser.newBrowserCDPSession()).send("SystemInfo.getProcessInfo");
    for (const { id } of processInfo) {
      const line = await readFile(`/proc/${id}/cmdline`, "utf8");
      if (line.includes("network.mojom.NetworkService")) process.kill(id, isCut ? "SIGSTOP" : "SIGCONT");
    }
  },

  choose: ({ who, field, value }) => pages.get(who).getByLabel(field).first().selectOption(value),

  fill: ({ who, field, value }) => pages.get(who).getByLabel(field).first().fill(value),

  async hear({ who, seconds, path }) {
    await writeFile(path, Buffer.from(await pages.get(who).evaluate(record, seconds), "base64"));
  },

  /** Plays the first recording of a call's page for a moment; how many seconds it has. */
  async play({ who }) {
    const player = pages.get(who).locator("audio[controls]").first();
    await player.waitFor();
    return player.evaluate(async (audio) => {
      await audio.play();
      await new Promise((resolve) => (audio.ontimeupdate = () => audio.currentTime > 0 && resolve()));
      audio.pause();
      return audio.duration;
    });
  },

  /** What a script of the page can read of its cookies. */
  cookies: ({ who }) => pages.get(who).evaluate(() => document.cookie),

  /** Bytes that were loaded for it so far, as they came. */
  loaded: ({ who }) => pages.get(who).loaded,

  /** What axe finds serious, and whatever scrolls sideways, in both themes and sizes; pictures of all if there is a place. */
  async look({ who, name, folder }) {
    const page = pages.get(who);
    const found = [];
    for (const colorScheme of THEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const [size, viewport] of Object.entries(SIZES)) {
        await page.setViewportSize(viewport);
        if (folder) await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png` });
        const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        if (isWide) found.push(`${name} scrolls sideways (${size})`);
        // By the protocol, since the page's policy lets no script in.
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run());
        const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
        found.push(...serious.map(({ id, nodes }) => `${name} ${size} ${colorScheme}: ${id}: ${nodes.map((it) => `${it.html} ${it.any[0]?.message ?? ""}`).join("; ")}`));
      }
    }
    await page.setViewportSize(SIZES.wide);
    return found;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: command, with: argument } = JSON.parse(line);
  try {
    tell({ id, value: (await commands[command](argument)) ?? null });
  } catch (error) {
    tell({ id, failed: String(error) });
  }
}
await browser.close();
