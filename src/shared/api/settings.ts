import { z } from 'zod';

const RecentFile = z.object({ path: z.string(), name: z.string(), openedAt: z.number() });

const fields = {
  theme: z.enum(['system', 'dark', 'light', 'high-contrast']),
  language: z.enum(['system', 'en', 'de']),
  reducedMotion: z.enum(['system', 'on', 'off']),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']),
  /** 0: as many as the machine has cores. */
  threads: z.number().int().min(0).max(256),
  defaultPack: z.string().max(200).nullable(),
  /** Minutes after which a model of the artist's own that is not used is closed; 0: never. */
  restMinutes: z.number().int().min(0).max(1440),
  /** Bytes that the history may take on disk. */
  historyBudget: z.number().int().min(50_000_000),
  live: z.boolean(),
  showRulers: z.boolean(),
  /** Kept by the host; a window may only drop entries. */
  recent: z.array(RecentFile).max(20),
};

export const Settings = z.object({
  theme: fields.theme.default('system'),
  language: fields.language.default('system'),
  reducedMotion: fields.reducedMotion.default('system'),
  device: fields.device.default('auto'),
  threads: fields.threads.default(0),
  defaultPack: fields.defaultPack.default(null),
  restMinutes: fields.restMinutes.default(5),
  historyBudget: fields.historyBudget.default(5_000_000_000),
  live: fields.live.default(false),
  showRulers: fields.showRulers.default(false),
  recent: fields.recent.default([]),
});
export type Settings = z.infer<typeof Settings>;

/**
 * A change of some settings. Made from the fields without their defaults: zod 4 fills defaults in even where the
 * key is optional, and a patch of one setting would put all the others back.
 */
export const SettingsPatch = z.object(fields).partial();
export type SettingsPatch = z.infer<typeof SettingsPatch>;
