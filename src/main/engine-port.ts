import { constants, setPriority } from 'node:os';
import type { EnginePort, FromEngine } from '#engine/jobs/protocol.ts';

/** The part of Electron's UtilityProcess that is used. */
export interface UtilityChild {
  readonly pid: number | undefined;
  postMessage(message: unknown): void;
  kill(): boolean;
  readonly stderr: { on(event: 'data', listener: (chunk: Uint8Array) => void): unknown } | null;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'spawn', listener: () => void): unknown;
  on(event: 'exit', listener: (code: number) => void): unknown;
  on(event: 'error', listener: (type: string, location: string) => void): unknown;
}

/**
 * The engine as an Electron utility process: a native crash or an empty memory there ends that process alone.
 * @param fork starts it; called anew after each end
 * @param signal ends a process by its id at once (process.kill but for tests)
 */
export function utilityEngine(
  fork: () => UtilityChild,
  signal: (pid: number) => void = (pid) => process.kill(pid, 'SIGKILL'),
): EnginePort {
  const child = fork();
  let exited = false;
  let lastWords = '';
  let fatal = '';
  child.stderr?.on('data', (chunk) => {
    lastWords = (lastWords + new TextDecoder().decode(chunk)).slice(-2000);
  });
  child.on('spawn', () => {
    try {
      // Drawing must stay smooth while all cores compute.
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // Not allowed here: only a comfort.
    }
  });
  child.on('error', (type, location) => {
    fatal = `${type} at ${location}`;
  });
  return {
    send(message) {
      if (!exited) child.postMessage(message);
    },
    onMessage(listener) {
      child.on('message', (message) => listener(message as FromEngine));
    },
    onExit(listener) {
      child.on('exit', (code) => {
        if (exited) return;
        exited = true;
        const words = fatal || lastWords.trim().split('\n').at(-1);
        listener(`ended with code ${code}${words ? ` (${words.slice(0, 200)})` : ''}`);
      });
    },
    kill() {
      // kill() asks politely, which a process in the middle of a network pass does not hear.
      try {
        if (child.pid === undefined) child.kill();
        else signal(child.pid);
      } catch {
        child.kill();
      }
    },
  };
}
