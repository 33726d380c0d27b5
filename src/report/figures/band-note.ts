import { FEW_SEEDS } from "./band-chart.ts";

/** What lines and bands are, as the second half of a caption. */
export function bandNote(points: readonly { readonly n: number }[], geometric = false): string {
  const counts = points.map(({ n }) => n);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return "one seed each";
  const seeds = least === most ? `${most} seeds` : `${least} to ${most} seeds`;
  const thin = counts.some((n) => n > 1 && n <= FEW_SEEDS);
  const marks = [
    ...(thin
      ? [most > FEW_SEEDS ? `thin lines the seeds where they are ${FEW_SEEDS} or fewer` : "thin lines the seeds"]
      : []),
    ...(most > FEW_SEEDS ? ["bands their 95 % confidence intervals"] : []),
  ];
  return `lines are ${geometric ? "geometric " : ""}means over ${seeds}, ${marks.join(", ")}`;
}
