import { organise } from './0020-organise.ts';
import { results } from './0010-results.ts';
import { retrieval } from './0040-retrieval.ts';
import { search } from './0030-search.ts';
import { size } from './0050-size.ts';
import type { Migration } from './migration.ts';

export type { Migration };

/** In order; each has a test on a database made by the ones before it. */
export const MIGRATIONS: readonly Migration[] = [results, organise, search, retrieval, size];
