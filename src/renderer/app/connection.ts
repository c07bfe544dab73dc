import type { StudioApi } from '#shared/api/studio-api.ts';

/** What bridge.ts gives the window, whatever carries the calls. */
export interface Connection {
  readonly api: StudioApi;
  /** Where an `<img>` finds a blob. */
  readonly blobUrl: (hash: string) => string;
  /** Follows the line to the host; calls the listener at once with how it is. The answer stops it. */
  onState(listener: (state: 'open' | 'closed') => void): () => void;
}
