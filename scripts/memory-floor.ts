/**
 * Growth of a process's memory over a run, as a share of what it was. Resident memory after a collection is a floor, which a leak raises, plus slack
 * that the allocator keeps and gives back by turns; so the floors of the first and of the last third are compared. Their middles are two thirds of the
 * run apart, hence the factor.
 *
 * @param memory readings in the order they were taken; NaN of fewer than six, whose thirds would not have a floor
 */
export function floorGrowth(memory: readonly number[]): number {
  if (memory.length < 6) return Number.NaN;
  const third = Math.floor(memory.length / 3);
  return 1.5 * (Math.min(...memory.slice(-third)) / Math.min(...memory.slice(0, third)) - 1);
}
