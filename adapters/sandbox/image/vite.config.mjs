// Builds an app's front end in the sandbox, and serves it while it changes, with the app's own plugins and settings where it has
// any. The config file of the app is loaded without writing beside it: its folder is read-only.
import { cpSync, existsSync, readFileSync } from "node:fs";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadConfigFromFile, mergeConfig } from "vite";

const build = { root: "/app/frontend", build: { outDir: "/web", emptyOutDir: true } };
const root = "/app/live/frontend";
const cacheDir = "/tmp/node_modules/.vite";
const baked = "/opt/sandbox/baked";

// What a page is told of the server's part of its app; the page is loaded again when that changes.
const mark = () => {
  try {
    return readFileSync(`${root}/../mark`, "utf8");
  } catch {
    return "";
  }
};
const live = {
  name: "threadwright-live",
  transformIndexHtml: () => [{ tag: "script", attrs: { src: "/__threadwright/live.js", "data-have": mark() }, injectTo: "head-prepend" }],
};
const serve = {
  root,
  plugins: [live],
  optimizeDeps: { include: ["react", "react-dom", "react-dom/client", "react/jsx-runtime", "react/jsx-dev-runtime", "react-router-dom", "@supabase/supabase-js"] },
};

export default async (env) => {
  const serving = env.command === "serve";
  const base = (await loadConfigFromFile(env, undefined, serving ? root : build.root, "silent", undefined, "runner"))?.config;
  const config = mergeConfig(base ?? { plugins: [react(), tailwindcss()] }, { ...(serving ? serve : build), base: "/", cacheDir });
  if (!serving) return config;
  if (existsSync(baked) && !existsSync(cacheDir)) cpSync(baked, cacheDir, { recursive: true });
  // Where it listens, and what it gives away, is not up to the app.
  config.server = {
    host: process.env.HOST,
    port: Number(process.env.PORT),
    strictPort: true,
    allowedHosts: true,
    watch: process.env.POLL ? { usePolling: true, interval: 300 } : {},
    fs: { strict: true, allow: [root, `${root}/../node_modules`, "/node_modules", cacheDir] },
    headers: process.env.PAGE_POLICY ? { "Content-Security-Policy": process.env.PAGE_POLICY, "X-Content-Type-Options": "nosniff" } : {},
  };
  return { ...config, clearScreen: false, logLevel: "error" };
};
