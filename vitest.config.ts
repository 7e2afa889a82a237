import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/torture/**'],
    testTimeout: 20_000,
    maxWorkers: 2,
    // Node runs the sources itself, as it does for the command line.
    experimental: { viteModuleRunner: false },
    // Files share a process, and with it what loading the program and making its engines costs.
    isolate: false,
    // On a shared machine a test that starts processes may miss its time once; what is broken fails twice.
    retry: process.env.CI ? 1 : 0,
    reporters: ['default'],
  },
});
