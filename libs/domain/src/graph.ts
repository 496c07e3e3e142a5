/** A node of a dependency graph: what it waits for, as indexes. */
interface Node {
  readonly depends_on: readonly number[];
}

/** A cycle as the indexes along it, or `undefined`. Iterative: 256 calls deep must not need a deep stack. */
export function findCycle(nodes: readonly Node[]): number[] | undefined {
  const waiting = nodes.map((node) => new Set(node.depends_on).size);
  const dependents = nodes.map((): number[] => []);
  nodes.forEach((node, index) => {
    for (const dependency of new Set(node.depends_on)) dependents[dependency]?.push(index);
  });
  const free = waiting.flatMap((count, index) => (count === 0 ? [index] : []));
  let settled = 0;
  for (let at = free.pop(); at !== undefined; at = free.pop()) {
    settled += 1;
    for (const dependent of dependents[at]!) {
      waiting[dependent]! -= 1;
      if (waiting[dependent] === 0) free.push(dependent);
    }
  }
  if (settled === nodes.length) return undefined;
  return walkCycle(nodes, waiting);
}

/** Every unsettled node waits for an unsettled one, so following them must come back to where it has been. */
function walkCycle(nodes: readonly Node[], waiting: readonly number[]): number[] {
  const path: number[] = [];
  let at = waiting.findIndex((count) => count > 0);
  while (!path.includes(at)) {
    path.push(at);
    at = nodes[at]!.depends_on.find((dependency) => waiting[dependency]! > 0)!;
  }
  return path.slice(path.indexOf(at));
}

/** Everything that waits for `index`, directly or not. */
export function dependentsOf(nodes: readonly Node[], index: number): number[] {
  const found = new Set<number>([index]);
  for (let grown = true; grown; ) {
    grown = false;
    nodes.forEach((node, i) => {
      if (!found.has(i) && node.depends_on.some((dependency) => found.has(dependency))) {
        found.add(i);
        grown = true;
      }
    });
  }
  found.delete(index);
  return [...found];
}
