// Packs what was built beside itself, so that the node need not: `NAME.br` and `NAME.gz`, where they are shorter.

import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

export function pack() {
  let folder;
  return {
    name: "pack",
    apply: "build",
    configResolved: (config) => (folder = join(config.root, config.build.outDir)),
    async closeBundle() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      for (const entry of entries.filter((it) => it.isFile())) {
        const path = join(entry.parentPath, entry.name);
        const bytes = await readFile(path);
        const packed = {
          br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
          gz: gzipSync(bytes, { level: 9 }),
        };
        for (const [end, it] of Object.entries(packed)) {
          if (it.length < bytes.length * 0.95) await writeFile(`${path}.${end}`, it);
        }
      }
    },
  };
}
