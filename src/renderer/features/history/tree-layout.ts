import type { ResultId, ResultSummary } from '#shared/api/generation.ts';

export interface TreeNode {
  readonly result: ResultSummary;
  readonly column: number;
  readonly row: number;
  readonly parent: ResultId | null;
}

/**
 * Lays results out as trees from left to right: a child stands one column after its first known parent, siblings
 * below each other in the order they were made, each tree in rows of its own, the newest tree first. Results that
 * came from no other and led to none stand side by side: a row for each would be a long list with nothing beside it.
 * @param across how many results fit side by side
 */
export function layoutTree(results: readonly ResultSummary[], across = 1): TreeNode[] {
  const known = new Map(results.map((result) => [result.id, result]));
  const children = new Map<ResultId | null, ResultSummary[]>();
  const newest = new Map<ResultId, number>();
  for (const result of results.toSorted((a, b) => a.createdAt - b.createdAt)) {
    const parent = parentOf(result, known);
    children.set(parent, [...(children.get(parent) ?? []), result]);
    newest.set(rootOf(result, known).id, result.createdAt);
  }
  const nodes: TreeNode[] = [];
  let row = 0;
  const place = (result: ResultSummary, column: number, parent: ResultId | null): void => {
    nodes.push({ result, column, row, parent });
    for (const [index, child] of (children.get(result.id) ?? []).entries()) {
      if (index > 0) row += 1;
      place(child, column + 1, result.id);
    }
  };
  const roots = (children.get(null) ?? []).toSorted((a, b) => (newest.get(b.id) ?? 0) - (newest.get(a.id) ?? 0));
  let lone = 0;
  for (const [index, root] of roots.entries()) {
    const isLone = !children.has(root.id);
    place(root, isLone ? lone : 0, null);
    const next = roots[index + 1];
    if (isLone && lone + 1 < across && next && !children.has(next.id)) lone += 1;
    else {
      lone = 0;
      row += 1;
    }
  }
  return nodes;
}

/** The first parent that is in the list and older: a damaged history with a cycle must not hang the view. */
function parentOf(result: ResultSummary, known: ReadonlyMap<ResultId, ResultSummary>): ResultId | null {
  return (
    result.parents.find((id) => {
      const parent = known.get(id);
      return parent !== undefined && parent !== result && parent.createdAt < result.createdAt;
    }) ?? null
  );
}

function rootOf(result: ResultSummary, known: ReadonlyMap<ResultId, ResultSummary>): ResultSummary {
  let root = result;
  for (;;) {
    const parent = parentOf(root, known);
    const next = parent === null ? undefined : known.get(parent);
    if (!next) return root;
    root = next;
  }
}
