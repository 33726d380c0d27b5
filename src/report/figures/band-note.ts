/** What lines and bands are, as the second half of a caption. */
export function bandNote(points: readonly { readonly n: number }[], geometric = false): string {
  const counts = points.map(({ n }) => n);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return "one seed each, so there is no band";
  const seeds = least === most ? `${most} seeds` : `${least} to ${most} seeds`;
  return `lines are ${geometric ? "geometric " : ""}means over ${seeds}, bands their 95 % confidence intervals`;
}
