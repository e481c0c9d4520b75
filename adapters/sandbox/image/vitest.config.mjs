// Runs an app's own tests of its front end in the sandbox; nothing of the app's configuration is read.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  root: "/app/frontend",
  cacheDir: "/tmp/vitest",
  plugins: [react()],
  test: { environment: "happy-dom", globals: true, include: ["**/*.{test,spec}.{ts,tsx,js,jsx,mjs}"], testTimeout: 10_000 },
  fsModuleCache: false,
});
