import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { EnvHttpProxyAgent, interceptors, request } from "undici";
import { DataError } from "../util/errors.ts";
import type { SourceFile } from "./entry.ts";

export interface FetchOptions {
  /** Bytes so far and in all, where the server says. */
  readonly progress?: (file: string, done: number, total: number | undefined) => void;
  /** A mirror: takes the place of everything before the file's name. */
  readonly base?: string | undefined;
}

/**
 * Downloads one file into a folder, unless it is there already: through the proxy of HTTPS_PROXY, resuming what an earlier
 * try left in NAME.part, checked by MD5 and only then given its name.
 */
export async function fetchFile(source: SourceFile, folder: string, options: FetchOptions = {}): Promise<string> {
  const path = join(folder, source.name);
  if (existsSync(path)) {
    await verifyFile(path, source);
    return path;
  }
  mkdirSync(folder, { recursive: true });
  const part = `${path}.part`;
  const url = options.base === undefined ? source.url : `${options.base.replace(/\/$/, "")}/${source.name}`;
  await download(url, part, (done, total) => options.progress?.(source.name, done, total));
  const found = await md5Of(part);
  if (found !== source.md5) {
    rmSync(part);
    throw new DataError(
      `${url}: MD5 ${found}, expected ${source.md5}`,
      { url, found, expected: source.md5 },
      "the download was damaged or replaced, and is removed; try again, or give a mirror with --base",
    );
  }
  renameSync(part, path);
  return path;
}

/** Throws where a file is not the published one. */
export async function verifyFile(path: string, { md5 }: SourceFile): Promise<void> {
  const found = await md5Of(path);
  if (found !== md5)
    throw new DataError(
      `${path}: MD5 ${found}, expected ${md5}`,
      { path, found, expected: md5 },
      "remove it and fetch it again",
    );
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function download(url: string, part: string, progress: (done: number, total: number | undefined) => void) {
  const agent = new EnvHttpProxyAgent();
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  const have = existsSync(part) ? statSync(part).size : 0;
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      ...(have > 0 ? { headers: { range: `bytes=${have}-` } } : {}),
    });
    // The file was complete already: its checksum decides.
    if (statusCode === 416 && have > 0) {
      await body.dump();
      return;
    }
    if (statusCode !== 200 && statusCode !== 206) {
      await body.dump();
      throw new DataError(`${url}: the server answers ${statusCode}`, { url, statusCode }, HELP);
    }
    const resumed = statusCode === 206;
    const length = Number(headers["content-length"]);
    let done = resumed ? have : 0;
    const total = Number.isFinite(length) ? done + length : undefined;
    const file = await open(part, resumed ? "a" : "w");
    try {
      for await (const chunk of body) {
        await file.writeFile(chunk as Buffer);
        done += (chunk as Buffer).length;
        progress(done, total);
      }
    } finally {
      await file.close();
    }
    if (total !== undefined && done !== total)
      throw new DataError(`${url}: ${done} of ${total} bytes arrived`, { url }, HELP);
  } catch (error) {
    if (error instanceof DataError) throw error;
    const reason =
      error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error);
    throw new DataError(`${url} cannot be fetched: ${reason}`, { url }, HELP);
  } finally {
    await agent.close();
  }
}

const HELP = "run the same command again to resume the download; HTTPS_PROXY and --base are respected";
