/** Where the runs of a sweep can be made. */
export const places = ["local", "slurm", "kubernetes"] as const;

export type Place = (typeof places)[number];
