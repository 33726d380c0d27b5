import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export interface CacheFacts {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined where the system knows none: without HOME, a user that no file of users lists. */
  readonly home: string | undefined;
  readonly temporary: string;
  /** Tells users apart who share a temporary folder. */
  readonly user: number;
}

/** Where this platform keeps what can be fetched again; without a home, a folder of the user's own among temporary files. */
export function cachesOf({ platform, env, home, temporary, user }: CacheFacts): string {
  if (platform === "win32" && env.LOCALAPPDATA) return join(env.LOCALAPPDATA, "eigensam", "Cache");
  if (platform !== "win32" && platform !== "darwin" && env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, "eigensam");
  if (home === undefined) return join(temporary, `eigensam-${user}`);
  if (platform === "win32") return join(home, "AppData", "Local", "eigensam", "Cache");
  return platform === "darwin" ? join(home, "Library", "Caches", "eigensam") : join(home, ".cache", "eigensam");
}

export const cachesHere = (): string =>
  cachesOf({
    platform: process.platform,
    env: process.env,
    home: homeHere(),
    temporary: tmpdir(),
    user: process.getuid?.() ?? 0,
  });

function homeHere(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    // Node.js throws where there is neither HOME nor a user of this number.
    return undefined;
  }
}
