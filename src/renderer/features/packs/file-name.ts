/** A file's name without its folder and ending. */
export const nameOfFile = (path: string): string =>
  path
    .split(/[\\/]/)
    .at(-1)
    ?.replace(/\.[^.]+$/, '') ?? path;
