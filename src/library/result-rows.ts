import { z } from 'zod';
import { ResultSummary } from '#shared/api/generation.ts';

/** What a page of the history reads of each result. */
export const SUMMARY_COLUMNS = `
  r.seq, r.id, r.job, r.created_at, r.kind, r.picture, r.width, r.height, r.seed, r.pack_id, r.pack_name,
  r.pack_fingerprint, r.passes, r.title, r.text, r.global_score, r.timings, r.scores, r.starred, r.deleted_at, r.note,
  (SELECT json_group_array(parent ORDER BY position) FROM parents p WHERE p.seq = r.seq) AS parents,
  (SELECT json_group_array(tag ORDER BY tag) FROM tags t WHERE t.seq = r.seq) AS tags,
  (SELECT json_group_array(board ORDER BY board) FROM boards b WHERE b.seq = r.seq) AS boards`;

const SummaryRow = z.object({
  seq: z.number(),
  id: z.string(),
  job: z.string(),
  created_at: z.number(),
  kind: z.string(),
  picture: z.string(),
  width: z.number(),
  height: z.number(),
  seed: z.number(),
  pack_id: z.string(),
  pack_name: z.string(),
  pack_fingerprint: z.string(),
  passes: z.number(),
  title: z.string(),
  text: z.string(),
  global_score: z.number().nullable(),
  timings: z.string(),
  scores: z.string(),
  starred: z.number(),
  deleted_at: z.number().nullable(),
  note: z.string(),
  parents: z.string(),
  tags: z.string(),
  boards: z.string(),
});

/** A row of SUMMARY_COLUMNS as the API's summary, checked. */
export function toSummary(row: unknown): ResultSummary {
  const { pack_id, pack_name, pack_fingerprint, ...rest } = SummaryRow.parse(row);
  return ResultSummary.parse({
    id: rest.id,
    job: rest.job,
    createdAt: rest.created_at,
    kind: rest.kind,
    picture: rest.picture,
    width: rest.width,
    height: rest.height,
    seed: rest.seed,
    pack: { id: pack_id, name: pack_name, fingerprint: pack_fingerprint },
    parents: JSON.parse(rest.parents),
    passes: rest.passes,
    timings: JSON.parse(rest.timings),
    scores: JSON.parse(rest.scores),
    globalScore: rest.global_score,
    title: rest.title,
    text: rest.text,
    starred: rest.starred === 1,
    note: rest.note,
    tags: JSON.parse(rest.tags),
    boards: JSON.parse(rest.boards),
    deleted: rest.deleted_at !== null,
  });
}
