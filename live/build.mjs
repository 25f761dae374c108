// Bundles the page's scripts; copies the Pyodide runtime out of its npm package. node build.mjs OUT
import { build } from "esbuild";
import { cp, mkdir, readFile } from "node:fs/promises";
const out = process.argv[2];
const amd = { // anywidget ships AMD only: define(["@jupyter-widgets/base"], factory)
  name: "anywidget-amd",
  setup(b) {
    b.onResolve({ filter: /^anywidget-amd$/ }, () => ({ path: "anywidget-amd", namespace: "amd" }));
    b.onLoad({ filter: /.*/, namespace: "amd" }, async () => ({
      resolveDir: ".",
      contents: `let made; const define = (_, f) => { made = f; };\n${await readFile("node_modules/anywidget/dist/index.js", "utf8")}\nexport default made;`,
    }));
  },
};
const common = { bundle: true, minify: true, target: "es2022", outdir: out, logLevel: "warning", plugins: [amd], alias: { "sanitize-html": "./src/sanitize.js" },
  loader: { ".svg": "dataurl", ".woff": "dataurl", ".woff2": "dataurl", ".ttf": "dataurl", ".eot": "dataurl" } };
await build({ ...common, format: "esm", entryPoints: ["src/widgets.js", "src/widgets.css", "src/worker.js", "src/page.css"] });
await build({ ...common, format: "iife", entryPoints: ["src/page.js"] }); // a classic script: a page from disk may load no other
await mkdir(`${out}/pyodide`, { recursive: true });
for (const file of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
  await cp(`node_modules/pyodide/${file}`, `${out}/pyodide/${file}`);
}
