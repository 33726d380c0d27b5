/** A point in units of the grid: column, row. */
export type GridPoint = readonly [column: number, row: number];

/**
 * Lines on which a function on a grid (value i·columns + j in row i, column j) equals `level`: marching squares, linear along the edges of
 * cells. Closed lines end where they begin; cells with a corner that is not finite are left out.
 */
export function contourLines(values: readonly number[], columns: number, level: number): GridPoint[][] {
  const rows = values.length / columns;
  const points = new Map<number, GridPoint>();
  const neighbours = new Map<number, number[]>();

  /** Where the line crosses the edge from a corner to the next column (0) or the next row (1); undefined where it does not. */
  const crossing = (row: number, column: number, down: 0 | 1): number | undefined => {
    const from = row * columns + column;
    const [p, q] = [values[from]!, values[from + (down ? columns : 1)]!];
    if (p >= level === q >= level) return undefined;
    const t = (level - p) / (q - p);
    const edge = 2 * from + down;
    points.set(edge, down ? [column, row + t] : [column + t, row]);
    return edge;
  };
  const join = (a: number, b: number) => {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      neighbours.set(from, [...(neighbours.get(from) ?? []), to]);
  };

  for (let i = 0; i + 1 < rows; i++) {
    for (let j = 0; j + 1 < columns; j++) {
      const at = i * columns + j;
      const corners = [values[at]!, values[at + 1]!, values[at + columns + 1]!, values[at + columns]!];
      if (!corners.every(Number.isFinite)) continue;
      // Around the cell, from the first corner to the second and on.
      const edges = [crossing(i, j, 0), crossing(i, j + 1, 1), crossing(i + 1, j, 0), crossing(i, j, 1)];
      const crossed = edges.filter((edge) => edge !== undefined);
      if (crossed.length === 2) join(crossed[0]!, crossed[1]!);
      if (crossed.length < 4) continue;
      // A saddle: its middle goes with the first and third corner, which are joined then, or with the others.
      const middle = corners.reduce((a, b) => a + b, 0) / 4;
      const [a, b, c, d] = crossed as [number, number, number, number];
      const joined = middle >= level === corners[0]! >= level;
      join(a, joined ? b : d);
      join(c, joined ? d : b);
    }
  }
  return chains(neighbours).map((chain) => chain.map((edge) => points.get(edge)!));
}

/** Walks from every end, and then around what is closed. */
function chains(neighbours: Map<number, number[]>): number[][] {
  const left = new Set(neighbours.keys());
  const ends = [...left].filter((edge) => neighbours.get(edge)!.length === 1);
  const walk = (start: number): number[] => {
    const chain: number[] = [];
    for (let edge: number | undefined = start; edge !== undefined; ) {
      chain.push(edge);
      left.delete(edge);
      edge = neighbours.get(edge)!.find((next) => left.has(next));
    }
    const closed = chain.length > 2 && neighbours.get(start)!.includes(chain.at(-1)!);
    return closed ? [...chain, start] : chain;
  };
  return [...ends, ...left].flatMap((start) => (left.has(start) ? [walk(start)] : []));
}
