import type { ErrorReport } from '#shared/errors.ts';
import type { Notice } from './database.ts';
import type { Library } from './library-api.ts';

/** What the worker does, by name: the library's methods, with `now` and the pictures in use told from outside. */
export type LibraryMethod = Exclude<keyof Library, 'close'> | 'close';

export interface LibraryStart {
  readonly folder: string;
  readonly blobFolder: string;
  readonly readOnly: boolean;
}

export interface LibraryRequest {
  readonly id: number;
  readonly method: LibraryMethod;
  readonly values: readonly unknown[];
}

export type LibraryMessage =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly report: ErrorReport }
  | { readonly type: 'notice'; readonly notice: Notice }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly report: ErrorReport };
