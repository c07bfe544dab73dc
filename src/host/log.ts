import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';

export type LogLevel = 'info' | 'warning' | 'error';
export interface LogEntry {
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

const KEPT = 500;
const FILE_BYTES = 1_000_000;
const LINE = 2000;

/**
 * What the host did and refused: the latest entries in memory for the studio's own view, all of them in a file
 * that is turned over at 1 MB (one older file is kept). Never throws: a full disk must not break what is logged.
 */
export class Log {
  readonly #entries: LogEntry[] = [];
  readonly #file: string | null;
  #fileBytes = 0;
  readonly #echo: ((entry: LogEntry) => void) | undefined;

  constructor(file: string | null, echo?: (entry: LogEntry) => void) {
    this.#file = file;
    this.#echo = echo;
    if (file === null) return;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      this.#fileBytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    } catch {
      this.#fileBytes = 0;
    }
  }

  info(message: string): void {
    this.#add('info', message);
  }
  warning(message: string): void {
    this.#add('warning', message);
  }
  error(message: string): void {
    this.#add('error', message);
  }

  recent(): LogEntry[] {
    return [...this.#entries];
  }

  #add(level: LogLevel, text: string): void {
    // One entry is one line: what came from outside must not forge others.
    // oxlint-disable-next-line no-control-regex
    const message = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, LINE);
    const entry: LogEntry = { at: Date.now(), level, message };
    this.#entries.push(entry);
    if (this.#entries.length > KEPT) this.#entries.shift();
    this.#echo?.(entry);
    if (this.#file === null) return;
    try {
      const line = `${new Date(entry.at).toISOString()} ${level} ${message}\n`;
      if (this.#fileBytes + line.length > FILE_BYTES) {
        renameSync(this.#file, `${this.#file}.1`);
        this.#fileBytes = 0;
      }
      appendFileSync(this.#file, line);
      this.#fileBytes += line.length;
    } catch {
      // The entry is still in memory.
    }
  }
}
