import { fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { EnginePort, FromEngine } from './protocol.ts';

/** Where the engine process begins, as it lies in the source tree. */
export const ENGINE_ENTRY = fileURLToPath(new URL('./engine-process.ts', import.meta.url));

/** Starts the engine as a Node child process; used wherever there is no Electron. */
export function forkNodeEngine(entry: string = ENGINE_ENTRY): EnginePort {
  const child = fork(entry, {
    // Structured clone: typed arrays travel as they are.
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execArgv: [],
  });
  let lastWords = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString('utf8')).slice(-2000);
  });
  if (child.pid !== undefined)
    try {
      // Drawing must stay smooth while all cores compute.
      setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // Not allowed here: only a comfort.
    }
  let exited = false;
  return {
    send(message) {
      if (!exited && child.connected) child.send(message, () => undefined);
    },
    onMessage(listener) {
      child.on('message', (message) => listener(message as FromEngine));
    },
    onExit(listener) {
      const once = (reason: string): void => {
        if (exited) return;
        exited = true;
        listener(reason);
      };
      child.on('error', (error) => once(error.message));
      child.on('exit', (code, signal) => {
        const lines = lastWords.trim().split('\n');
        // Node ends its last words with its version; the line that names the error says more.
        const words = lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1);
        once(signal ? `ended by ${signal}` : `ended with code ${code}${words ? ` (${words.slice(0, 200)})` : ''}`);
      });
    },
    kill() {
      child.kill('SIGKILL');
    },
  };
}
