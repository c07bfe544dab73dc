import type { CallName, CallOutput, OpenDocument } from '#shared/api/calls.ts';
import type { EventName, EventPayload } from '#shared/api/events.ts';
import type { JobSummary, ResultSummary } from '#shared/api/generation.ts';
import type { StudioApi } from '#shared/api/studio-api.ts';
import { createScene, createSegment } from '#shared/document/create.ts';
import { toDocument, toRecords } from '#shared/document/document.ts';
import { StudioError } from '#shared/errors.ts';
import { createStudio } from './studio.ts';
import type { Studio } from './studio.ts';

type Answer = (input: never) => unknown;

/** A host for tests: notes calls, answers what it is told to, says events on demand. */
export class FakeHost {
  readonly calls: { name: CallName; input: unknown }[] = [];
  readonly #answers = new Map<CallName, Answer>();
  readonly #listeners = new Map<EventName, Set<(payload: never) => void>>();
  #jobs = 0;

  constructor() {
    this.answer('document.apply', ({ sequence }: { sequence: number }) => ({ sequence }));
    this.answer('generate.start', () => ({ job: `job-${(this.#jobs += 1)}` }));
    this.answer('generate.cancel', () => ({}));
    this.answer('results.usage', () => ({ bytes: 0, budget: 1, results: 0 }));
  }

  answer<N extends CallName>(name: N, answer: (input: never) => Partial<CallOutput<N>>): void {
    this.#answers.set(name, answer);
  }

  /** What was sent in calls of one name. */
  sent<T = Record<string, unknown>>(name: CallName): T[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input as T);
  }

  say<N extends EventName>(name: N, payload: EventPayload<N>): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
  }

  get api(): StudioApi {
    return {
      call: async (name: CallName, input: unknown) => {
        this.calls.push({ name, input });
        const answer = this.#answers.get(name);
        if (!answer) throw new StudioError('unsupported', `no answer to ${name} was prepared`);
        return answer(input as never) as never;
      },
      on: (name: EventName, listener: (payload: never) => void) => {
        const listeners = this.#listeners.get(name) ?? new Set();
        this.#listeners.set(name, listeners.add(listener));
        return () => listeners.delete(listener);
      },
    } as StudioApi;
  }
}

export const openDocument = (): OpenDocument => ({
  id: 'doc-1',
  records: toRecords(
    toDocument([
      createScene({ text: 'a lake' }),
      ...createSegment('fox', 'a fox', [{ kind: 'rect', x: 0, y: 0, width: 200, height: 200 }], { order: 0 }),
      ...createSegment('tent', 'a tent', [{ kind: 'ellipse', cx: 350, cy: 350, rx: 90, ry: 90 }], { order: 1 }),
    ]),
  ),
  undo: [],
  redo: [],
  file: null,
  dirty: false,
});

/** A studio on a fake host with two segments. */
export function testStudio(): { studio: Studio; host: FakeHost } {
  const host = new FakeHost();
  const studio = createStudio(host.api, (hash) => `blob/${hash}`);
  studio.document.load(openDocument());
  // As boot() does it, so that controllers see what the window sees.
  host.api.on('job.changed', ({ job }) => studio.session.putJob(job));
  return { studio, host };
}

export const job = (id: string, fields: Partial<JobSummary> = {}): JobSummary => ({
  id: id as JobSummary['id'],
  state: 'running',
  purpose: { kind: 'generate' },
  title: '',
  createdAt: 0,
  progress: null,
  error: null,
  results: [],
  ...fields,
});

export const result = (id: string, fields: Partial<ResultSummary> = {}): ResultSummary => ({
  id: `result-${id}`,
  job: 'job-1',
  createdAt: 0,
  kind: 'generate',
  picture: 'a'.repeat(64),
  width: 512,
  height: 512,
  seed: 7,
  pack: { id: 'p', name: 'P', fingerprint: 'f' },
  parents: [],
  passes: 48,
  timings: {},
  scores: [],
  globalScore: null,
  title: '',
  text: '',
  starred: false,
  note: '',
  tags: [],
  boards: [],
  deleted: false,
  ...fields,
});
