// Starts Chromium with the phone of `phone.js`, and does what it is told: a line of JSON `{"id", "do", "with"}` on
// standard input, answered by `{"id", "value"}` or `{"id", "failed"}` on standard output, where the phone's events come
// too: `{"event"}`. It ends with its input.
//
//   node drive.mjs MICROPHONE.wav

import { readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { launch } from "./launch.mjs";

// Nothing is fetched of it: a page of https may use the microphone.
const ORIGIN = "https://phone.test";
const HERE = new URL(".", import.meta.url);
const TYPES = { html: "text/html", js: "text/javascript" };

const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const browser = await launch(process.argv[2]);
const page = await browser.newPage({ ignoreHTTPSErrors: true });
page.on("console", (message) => process.stderr.write(`${message.text()}\n`));
page.on("pageerror", (error) => process.stderr.write(`${error.stack}\n`));
await page.exposeFunction("tell", tell);
await page.exposeFunction("save", (path, base64) => writeFile(path, Buffer.from(base64, "base64")));
await page.route(`${ORIGIN}/**`, async (route) => {
  const path = new URL(route.request().url()).pathname.slice(1);
  const body = await readFile(new URL(path, HERE));
  await route.fulfill({ body, contentType: TYPES[path.split(".").pop()] });
});
await page.goto(`${ORIGIN}/phone.html`);
await page.waitForFunction(() => "phone" in window);
tell({ event: "ready" });

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: command, with: argument } = JSON.parse(line);
  try {
    const value = await page.evaluate(([name, it]) => window.phone[name](it), [command, argument]);
    tell({ id, value: value ?? null });
  } catch (error) {
    tell({ id, failed: String(error) });
  }
}
await browser.close();
