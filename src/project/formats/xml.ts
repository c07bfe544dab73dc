import sax from 'sax';
import { StudioError } from '#shared/errors.ts';

/** An element with its attributes; names as written, without namespaces resolved. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** The characters directly inside, children's not included. */
  readonly text: string;
}

interface Open {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const LONGEST = 96 * 1024 * 1024;
const MOST_ELEMENTS = 50_000;
/** Longest attribute: path data of a traced drawing. The reader's own limit of 64 KB is for streams. */
(sax as { MAX_BUFFER_LENGTH?: number }).MAX_BUFFER_LENGTH = 8 * 1024 * 1024;
const DEEPEST = 64;

export const escapeXml = (text: string): string =>
  text
    .replaceAll(/[&<>"']/g, (symbol) => `&#${symbol.codePointAt(0)};`)
    // Characters that XML cannot hold at all, escaped or not.
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, ' ');

/**
 * Reads XML as hostile input: strict, no entities but the five of XML itself, no document type with declarations of
 * its own, nothing fetched, bounded in length, number and depth.
 * @throws StudioError bad-input, too-large
 */
export function readXml(bytes: Uint8Array, what: string): XmlElement {
  if (bytes.length > LONGEST) throw new StudioError('too-large', `${what} has ${bytes.length} bytes`);
  const bad = (message: string, cause?: unknown): StudioError =>
    new StudioError('bad-input', `${what} cannot be read: ${message}`, { kept: 'the file is unchanged', cause });
  let source: string;
  try {
    source = new TextDecoder(bytes[0] === 0xff ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw bad('it is not UTF-8 text', error);
  }
  const parser = sax.parser(true, { trim: false, position: true });
  const stack: Open[] = [];
  let root: XmlElement | undefined;
  let count = 0;
  let problem: StudioError | undefined;
  const stop = (error: StudioError): void => {
    problem ??= error;
  };
  parser.onerror = (error) => {
    stop(bad(error.message.split('\n').slice(0, 2).join(', '), error));
    parser.resume();
  };
  parser.ondoctype = (doctype) => {
    if (/\[|<!ENTITY/i.test(doctype)) stop(bad('its document type declares entities of its own, which is refused'));
  };
  parser.onopentag = (tag) => {
    count += 1;
    if (count > MOST_ELEMENTS) stop(new StudioError('too-large', `${what} has more than ${MOST_ELEMENTS} elements`));
    if (stack.length >= DEEPEST) stop(bad(`it is nested more than ${DEEPEST} deep`));
    if (!problem)
      stack.push({ name: tag.name, attributes: tag.attributes as Record<string, string>, children: [], text: '' });
  };
  parser.onclosetag = () => {
    const done = stack.pop();
    if (!done) return;
    const parent = stack.at(-1);
    if (parent) parent.children.push(done);
    else root ??= done;
  };
  const onText = (text: string): void => {
    const inside = stack.at(-1);
    if (inside) inside.text += text;
  };
  parser.ontext = onText;
  parser.oncdata = onText;
  // In portions, so that reading ends soon after the first problem.
  for (let at = 0; at < source.length && !problem; at += 65_536) parser.write(source.slice(at, at + 65_536));
  if (!problem) parser.close();
  if (problem) throw problem;
  if (!root) throw bad('it has no element');
  return root;
}
