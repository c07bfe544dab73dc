// The engine process: receives jobs and questions, answers with progress, pictures and results. Forked by
// node-port.ts, or started as an Electron utility process. Inference blocks this process and no other.
import { EngineWorker } from './worker.ts';
import { ToEngine } from './protocol.ts';
import type { FromEngine } from './protocol.ts';

interface ParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
}

const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;

const send = (message: FromEngine): void => {
  if (parentPort) parentPort.postMessage(message);
  // A host that is gone needs no answer; the disconnect handler below ends this process.
  else if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
};

const worker = new EngineWorker(send);
const receive = (data: unknown): void => worker.receive(ToEngine.parse(data));

if (parentPort) parentPort.on('message', (event) => receive(event.data));
else {
  process.on('message', receive);
  // Ctrl-C in a terminal reaches every process of the group; the host ends this one in order.
  process.on('SIGINT', () => undefined);
  process.on('disconnect', () => process.exit(0));
}
send({ type: 'ready' });
