/** What differs between the shells that carry the studio: a window manager's things. */
export interface Shell {
  readonly kind: 'electron' | 'web';
  /** The artist's language as a BCP 47 tag. */
  readonly locale: string;
  /** Native dialogs over the window that asks; each answers null when cancelled. null: there are none. */
  readonly dialogs: {
    open(windowId: string, what: 'project' | 'import' | 'pack'): Promise<string | null>;
    save(windowId: string, suggestedName: string): Promise<string | null>;
  } | null;
  /** Shows an address of the allow-list in the artist's browser. */
  openExternal(url: string): Promise<void>;
}
