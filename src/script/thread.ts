import type { Fiber } from './fiber.ts';

/** What the thread has computed so far, ms. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Called when a fiber leaves the thread to others; gives what to call when it is back: what they computed is no part of its grace. */
export function awayFrom(fiber: Fiber | undefined): () => void {
  if (!fiber?.learnedAt && !fiber?.interruptedAt) return () => undefined;
  const left = threadMs();
  return () => {
    const away = threadMs() - left;
    if (fiber.learnedAt) fiber.learnedAt += away;
    if (fiber.interruptedAt) fiber.interruptedAt += away;
  };
}
