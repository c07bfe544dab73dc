import { describe, expect, it } from 'vitest';
import { Settings, SettingsPatch } from './settings.ts';

describe('a settings patch', () => {
  it('names only what it changes', () => {
    expect(SettingsPatch.parse({ theme: 'dark' })).toEqual({ theme: 'dark' });
    expect(SettingsPatch.parse({})).toEqual({});
  });

  it('knows every setting', () => {
    expect(Object.keys(SettingsPatch.shape).toSorted()).toEqual(Object.keys(Settings.shape).toSorted());
  });

  it('refuses what the settings refuse', () => {
    expect(SettingsPatch.safeParse({ threads: -1 }).success).toBe(false);
    expect(SettingsPatch.safeParse({ historyBudget: 1 }).success).toBe(false);
  });
});
