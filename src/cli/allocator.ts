/**
 * glibc's allocator gives large blocks back to the system at once, and a training step pays for getting them again page
 * by page. These settings make it keep them (docs/engine.md has the numbers); it reads them only when a process starts.
 */
const settings: ReadonlyMap<string, string> = new Map([
  ["glibc.malloc.hugetlb", "1"],
  ["glibc.malloc.mmap_threshold", "8589934592"],
  ["glibc.malloc.trim_threshold", "17179869184"],
  ["glibc.malloc.top_pad", "268435456"],
]);

type Environment = Readonly<Record<string, string | undefined>>;

export interface AllocatorFacts {
  readonly platform: string;
  /** Version of glibc, where it is the C library. */
  readonly glibc: string | undefined;
  readonly env: Environment;
}

export type AllocatorDecision =
  | { readonly state: "tuned" }
  | { readonly state: "restart"; readonly tunables: string }
  | { readonly state: "stock"; readonly reason: string };

/** Whether the process is tuned, should start again with `tunables`, or has to stay as it is. */
export function decideAllocator({ platform, glibc, env }: AllocatorFacts): AllocatorDecision {
  const stock = (reason: string): AllocatorDecision => ({ state: "stock", reason });
  if (env.EIGENSAM_ALLOCATOR === "stock") return stock("switched off by EIGENSAM_ALLOCATOR=stock");
  if (platform !== "linux") return stock(`${platform} has no glibc; only glibc's allocator is tuned`);
  if (glibc === undefined) return stock("this C library is not glibc (musl?); only glibc's allocator is tuned");
  if (!atLeast(glibc, 2, 35)) return stock(`glibc ${glibc} is too old; 2.35 or later can be tuned`);

  const given = (env.GLIBC_TUNABLES ?? "").split(":").filter((entry) => entry !== "");
  const names = new Set(given.map((entry) => entry.split("=")[0]!));
  const missing = [...settings].filter(([name]) => !names.has(name));
  if (missing.length === 0) return { state: "tuned" };
  // Someone between us and the restarted process removed the settings; a second restart would lose them again.
  if (env.EIGENSAM_ALLOCATOR === "tuned") return stock("GLIBC_TUNABLES was set and did not arrive");
  return { state: "restart", tunables: [...given, ...missing.map((pair) => pair.join("="))].join(":") };
}

/** The decision for this process. */
export const allocatorHere = (): AllocatorDecision =>
  decideAllocator({ platform: process.platform, glibc: glibcVersion(), env: process.env });

/** The environment in which a child process computes: tuned where that is possible. */
export function computeEnvironment(): NodeJS.ProcessEnv {
  const decision = allocatorHere();
  if (decision.state !== "restart") return { ...process.env };
  return { ...process.env, GLIBC_TUNABLES: decision.tunables, EIGENSAM_ALLOCATOR: "tuned" };
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

function glibcVersion(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  // Without this the report looks up the names of all network addresses.
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime;
}
