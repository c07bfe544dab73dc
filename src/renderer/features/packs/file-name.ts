/** A file's name without its folder, on any system. */
export const fileNameOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

/** A file's name without its folder and ending. */
export const nameOfFile = (path: string): string => fileNameOf(path).replace(/\.[^.]+$/, '');
