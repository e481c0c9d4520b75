// Builds an app's front end in the sandbox, with the app's own plugins and settings where it has any.
// The config file of the app is loaded without writing beside it: its folder is read-only.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadConfigFromFile, mergeConfig } from "vite";

const root = "/app/frontend";

export default async (env) => {
  const own = await loadConfigFromFile(env, undefined, root, "silent", undefined, "runner");
  const base = own?.config ?? { plugins: [react(), tailwindcss()] };
  return mergeConfig(base, { root, base: "/", cacheDir: "/tmp/node_modules/.vite", build: { outDir: "/web", emptyOutDir: true } });
};
