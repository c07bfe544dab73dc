import { describe, expect, it } from 'vitest';
import { EventHub } from './event-hub.ts';
import type { HostEvent } from './event-hub.ts';

const preview = { job: 'job-1', image: 0, step: 0, png: new Uint8Array([1]) };

describe('EventHub', () => {
  it('tells all listeners in order until they stop', () => {
    const hub = new EventHub();
    const heard: HostEvent[] = [];
    const stop = hub.on((event) => heard.push(event));
    hub.emit('packs.changed', {});
    hub.emit('command', { name: 'x' }, 'window-2');
    stop();
    hub.emit('packs.changed', {});
    expect(heard.map(({ sequence, name, window }) => [sequence, name, window])).toEqual([
      [1, 'packs.changed', null],
      [2, 'command', 'window-2'],
    ]);
  });

  it('repeats what a window missed: its own and everybody’s, without pictures on the way', () => {
    const hub = new EventHub();
    hub.emit('packs.changed', {});
    hub.emit('command', { name: 'mine' }, 'window-1');
    hub.emit('command', { name: 'other' }, 'window-2');
    hub.emit('job.preview', preview);
    hub.emit('notice', { level: 'info', message: 'm' });
    expect(hub.since(1, 'window-1')?.map((event) => event.name)).toEqual(['command', 'notice']);
    expect(hub.since(5, 'window-1')).toEqual([]);
  });

  it('says when it cannot know any more', () => {
    const hub = new EventHub();
    for (let index = 0; index < 600; index += 1) hub.emit('packs.changed', {});
    expect(hub.since(10, 'window-1')).toBeNull();
    expect(hub.since(599, 'window-1')?.length).toBe(1);
    // A number of another run.
    expect(hub.since(10_000, 'window-1')).toBeNull();
  });

  it('has another name in every run', () => {
    expect(new EventHub().run).not.toBe(new EventHub().run);
  });
});
