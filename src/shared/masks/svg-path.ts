/** One command of SVG path data, made absolute; H, V, S and T are resolved into L, C and Q. */
export type PathCommand =
  | { readonly type: 'M' | 'L'; readonly x: number; readonly y: number }
  | {
      readonly type: 'C';
      readonly x1: number;
      readonly y1: number;
      readonly x2: number;
      readonly y2: number;
      readonly x: number;
      readonly y: number;
    }
  | { readonly type: 'Q'; readonly x1: number; readonly y1: number; readonly x: number; readonly y: number }
  | {
      readonly type: 'A';
      readonly rx: number;
      readonly ry: number;
      /** Degrees by which the ellipse's x axis is turned. */
      readonly rotation: number;
      readonly large: boolean;
      readonly sweep: boolean;
      readonly x: number;
      readonly y: number;
    }
  | { readonly type: 'Z' };

export interface ParsedPath {
  readonly commands: readonly PathCommand[];
  /** Where and why reading stopped; what came before it is drawn all the same, as SVG demands. */
  readonly error: { readonly offset: number; readonly message: string } | null;
}

interface ControlPoint {
  readonly kind: 'C' | 'Q';
  readonly x: number;
  readonly y: number;
}

const NUMBER = /[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const SEPARATOR = /[\t\n\f\r ]*,?[\t\n\f\r ]*/y;
const SPACE = /[\t\n\f\r ]*/y;

const ARGUMENTS: Readonly<Record<string, number>> = { M: 2, L: 2, H: 1, V: 1, C: 6, S: 4, Q: 4, T: 2, A: 7, Z: 0 };

/** Reads the whole grammar of SVG 2 path data (section 9.3.9), the compact writing of arc flags included. */
export function parsePath(d: string): ParsedPath {
  const commands: PathCommand[] = [];
  let at = 0;
  const skip = (pattern: RegExp): void => {
    pattern.lastIndex = at;
    pattern.exec(d);
    at = pattern.lastIndex;
  };
  const readNumber = (): number | undefined => {
    NUMBER.lastIndex = at;
    const match = NUMBER.exec(d);
    if (!match) return undefined;
    const value = Number(match[0]);
    if (!Number.isFinite(value)) return undefined;
    at = NUMBER.lastIndex;
    return value;
  };
  const readFlag = (): number | undefined => {
    const char = d[at];
    if (char !== '0' && char !== '1') return undefined;
    at += 1;
    return char === '1' ? 1 : 0;
  };
  const stop = (message: string): ParsedPath => ({ commands, error: { offset: at, message } });

  let x = 0;
  let y = 0;
  let startX = 0;
  let startY = 0;
  /** The control point that S and T reflect, if the last command was of their kind. */
  let control = null as ControlPoint | null;

  skip(SPACE);
  while (at < d.length) {
    const letter = d[at] ?? '';
    const kind = letter.toUpperCase();
    const count = ARGUMENTS[kind];
    if (count === undefined) return stop(`"${letter}" is no path command`);
    if (commands.length === 0 && kind !== 'M') return stop('path data starts with M or m');
    at += 1;
    const relative = letter !== kind;
    if (kind === 'Z') {
      commands.push({ type: 'Z' });
      x = startX;
      y = startY;
      control = null;
      skip(SPACE);
      continue;
    }
    let first = true;
    for (;;) {
      if (first) skip(SPACE);
      const rewind = at;
      if (!first) skip(SEPARATOR);
      const values: number[] = [];
      for (let i = 0; i < count; i += 1) {
        if (i > 0) skip(SEPARATOR);
        const value = kind === 'A' && (i === 3 || i === 4) ? readFlag() : readNumber();
        if (value === undefined) break;
        values.push(value);
      }
      if (values.length === 0 && !first) {
        const comma = d.slice(rewind, at).includes(',');
        if (comma) return stop('a number is missing after the comma');
        break;
      }
      if (values.length < count) return stop(`${letter} needs ${count} numbers, ${values.length} found`);
      const [a = 0, b = 0, c = 0, e = 0, f = 0, g = 0, h = 0] = values;
      const dx = relative ? x : 0;
      const dy = relative ? y : 0;
      let nextControl: ControlPoint | null = null;
      switch (kind) {
        case 'M':
          x = a + dx;
          y = b + dy;
          // Further pairs after a moveto are linetos.
          commands.push({ type: first ? 'M' : 'L', x, y });
          if (first) {
            startX = x;
            startY = y;
          }
          break;
        case 'L':
          x = a + dx;
          y = b + dy;
          commands.push({ type: 'L', x, y });
          break;
        case 'H':
          x = a + dx;
          commands.push({ type: 'L', x, y });
          break;
        case 'V':
          y = a + dy;
          commands.push({ type: 'L', x, y });
          break;
        case 'C':
          commands.push({ type: 'C', x1: a + dx, y1: b + dy, x2: c + dx, y2: e + dy, x: f + dx, y: g + dy });
          nextControl = { kind: 'C', x: c + dx, y: e + dy };
          x = f + dx;
          y = g + dy;
          break;
        case 'S': {
          const x1: number = control?.kind === 'C' ? 2 * x - control.x : x;
          const y1: number = control?.kind === 'C' ? 2 * y - control.y : y;
          commands.push({ type: 'C', x1, y1, x2: a + dx, y2: b + dy, x: c + dx, y: e + dy });
          nextControl = { kind: 'C', x: a + dx, y: b + dy };
          x = c + dx;
          y = e + dy;
          break;
        }
        case 'Q':
          commands.push({ type: 'Q', x1: a + dx, y1: b + dy, x: c + dx, y: e + dy });
          nextControl = { kind: 'Q', x: a + dx, y: b + dy };
          x = c + dx;
          y = e + dy;
          break;
        case 'T': {
          const x1: number = control?.kind === 'Q' ? 2 * x - control.x : x;
          const y1: number = control?.kind === 'Q' ? 2 * y - control.y : y;
          commands.push({ type: 'Q', x1, y1, x: a + dx, y: b + dy });
          nextControl = { kind: 'Q', x: x1, y: y1 };
          x = a + dx;
          y = b + dy;
          break;
        }
        default:
          x = g + dx;
          y = h + dy;
          commands.push({
            type: 'A',
            rx: Math.abs(a),
            ry: Math.abs(b),
            rotation: c,
            large: e === 1,
            sweep: f === 1,
            x,
            y,
          });
      }
      control = nextControl;
      first = false;
    }
    skip(SPACE);
  }
  return { commands, error: null };
}

/** Path data of commands; numbers are rounded to `digits` after the point. */
export function serializePath(commands: readonly PathCommand[], digits = 3): string {
  const n = (value: number): string => String(Number(value.toFixed(digits)));
  return commands
    .map((command) => {
      switch (command.type) {
        case 'M':
        case 'L':
          return `${command.type}${n(command.x)} ${n(command.y)}`;
        case 'C':
          return `C${[command.x1, command.y1, command.x2, command.y2, command.x, command.y].map(n).join(' ')}`;
        case 'Q':
          return `Q${[command.x1, command.y1, command.x, command.y].map(n).join(' ')}`;
        case 'A':
          return `A${n(command.rx)} ${n(command.ry)} ${n(command.rotation)} ${command.large ? 1 : 0} ${command.sweep ? 1 : 0} ${n(command.x)} ${n(command.y)}`;
        case 'Z':
          return 'Z';
      }
    })
    .join('');
}
