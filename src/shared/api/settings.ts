import { z } from 'zod';

export const Settings = z.object({
  theme: z.enum(['system', 'dark', 'light', 'high-contrast']).default('system'),
  language: z.enum(['system', 'en', 'de']).default('system'),
  reducedMotion: z.enum(['system', 'on', 'off']).default('system'),
  device: z.enum(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml']).default('auto'),
  /** 0: as many as the machine has cores. */
  threads: z.number().int().min(0).max(256).default(0),
  defaultPack: z.string().nullable().default(null),
  /** Bytes that the history may take on disk. */
  historyBudget: z.number().int().min(50_000_000).default(5_000_000_000),
  live: z.boolean().default(false),
  showRulers: z.boolean().default(false),
  recent: z
    .array(z.object({ path: z.string(), name: z.string(), openedAt: z.number() }))
    .max(20)
    .default([]),
});
export type Settings = z.infer<typeof Settings>;
export const SettingsPatch = Settings.partial();
export type SettingsPatch = z.infer<typeof SettingsPatch>;
