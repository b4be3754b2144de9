import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { pack } from "./pack.mjs";

// A node for `npm run dev`: its pages' own addresses are those of this server.
const node = process.env.RINGDOWN ?? "http://127.0.0.1:8062";
const operations = ["accounts", "agents", "calls", "events", "logout", "me", "queues", "reports", "session", "transfers", "why"];

export default defineConfig({
  plugins: [svelte(), pack()],
  cacheDir: ".vite",
  build: { target: "es2023", modulePreload: { polyfill: false } },
  server: {
    proxy: Object.fromEntries(operations.map((name) => [`/${name}`, { target: node, ws: true }])),
  },
});
