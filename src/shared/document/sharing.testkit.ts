/** How many objects and lists a value keeps in memory; what is held twice counts once. */
export function distinctObjects(root: unknown): number {
  const seen = new Set<object>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null || seen.has(value)) continue;
    seen.add(value);
    waiting.push(...Object.values(value));
  }
  return seen.size;
}
