// An oxlint plugin with the house rules: what a file may import is visible from its folder.
// The table is the one of docs/architecture.md; an import that is not in it fails the linter.
import path from 'node:path';

/** Which rooms each room may import, itself always included. */
export const ALLOWED = {
  shared: [],
  engine: ['shared'],
  library: ['shared', 'engine'],
  project: ['shared', 'engine'],
  evaluate: ['shared', 'engine', 'project'],
  host: ['shared', 'engine', 'library', 'project', 'evaluate'],
  main: ['shared', 'engine', 'library', 'project', 'evaluate', 'host'],
  web: ['shared', 'engine', 'library', 'project', 'evaluate', 'host'],
  cli: ['shared', 'engine', 'library', 'project', 'evaluate', 'host', 'web'],
  preload: ['shared'],
  renderer: ['shared'],
};

/** Packages with one door each: package name -> path prefixes below src/ that may import it. */
export const DOORS = {
  'onnxruntime-node': ['engine/runtime/'],
  'better-sqlite3': ['library/'],
  electron: ['main/', 'preload/'],
  fabric: ['renderer/canvas/'],
  sharp: ['project/formats/', 'engine/image/'],
  react: ['renderer/'],
  'react-dom': ['renderer/'],
  ws: ['web/'],
};

/** Rooms without Node: neither node: builtins nor anything but zod may enter shared. */
const NO_NODE = new Set(['shared', 'renderer']);

/** The room of a repository path, or undefined outside src/. */
export function roomOf(file) {
  const match = /(?:^|\/)src\/([^/]+)\//.exec(file.replaceAll('\\', '/'));
  return match?.[1];
}

/** Why `file` may not import `source`, or undefined if it may. */
export function refusal(file, source) {
  const normal = file.replaceAll('\\', '/');
  const room = roomOf(normal);
  if (!room) return undefined;
  const isTest = /\.(test|testkit)\.tsx?$/.test(normal);
  if (source.startsWith('#') || source.startsWith('.')) {
    const target = source.startsWith('#')
      ? source.slice(1).split('/')[0]
      : roomOf(path.posix.join(path.posix.dirname(normal), source));
    if (target === undefined) return isTest ? undefined : `src/${room} imports ${source}, which lies outside src/`;
    if (target === room)
      return source.startsWith('#')
        ? `inside its own room a file imports by a relative path, not ${source}`
        : undefined;
    if (source.startsWith('.')) return `another room is imported by its name (#${target}/...), not by ${source}`;
    if (ALLOWED[room]?.includes(target)) return undefined;
    return `src/${room} may not import src/${target} (allowed: ${ALLOWED[room]?.join(', ') || 'nothing'})`;
  }
  if (isTest) return undefined;
  if (source.startsWith('node:'))
    return NO_NODE.has(room) ? `src/${room} runs without Node and may not import ${source}` : undefined;
  const name = source.startsWith('@') ? source.split('/').slice(0, 2).join('/') : source.split('/')[0];
  if (room === 'shared' && name !== 'zod') return `src/shared imports nothing but zod, not ${name}`;
  const doors = DOORS[name];
  const below = normal.slice(normal.lastIndexOf('/src/') === -1 ? 4 : normal.lastIndexOf('/src/') + 5);
  if (doors && !doors.some((door) => below.startsWith(door)))
    return `${name} is imported only in ${doors.map((d) => `src/${d}`).join(', ')}`;
  return undefined;
}

const rooms = {
  create(context) {
    const check = (node) => {
      const source = node.source?.value;
      if (typeof source !== 'string') return;
      const why = refusal(context.filename ?? context.getFilename(), source);
      if (why) context.report({ node: node.source, message: why });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

export default { meta: { name: 'house' }, rules: { rooms } };
