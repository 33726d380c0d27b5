import { createHash } from "node:crypto";
import type { Device } from "../../src/runtime/device.ts";
import { nodeSessions as load } from "../../src/runtime/node-session.ts";
import type { Session, SessionFactory } from "../../src/runtime/session.ts";

/** What all models that are kept may have in bytes; a loaded one takes a few times as much. */
const BUDGET = 64e6;

interface Kept {
  readonly session: Promise<Session>;
  readonly bytes: number;
  users: number;
}

/** Oldest use first. */
const kept = new Map<string, Kept>();

/**
 * Takes the place of nodeSessions in tests (vitest.config.ts): to load one model twice gives one session, which outlives its release.
 * Loading takes most of the time of a short training run, and a session has no state between runs.
 */
export const nodeSessions =
  (device: Device): SessionFactory =>
  async (model, inputs, outputs, options) => {
    const fresh = () => load(device)(model, inputs, outputs, options);
    if (options.profile) return fresh();
    const key = createHash("sha1")
      .update(JSON.stringify([device, inputs, outputs, options]))
      .update(model)
      .digest("hex");
    const entry = kept.get(key) ?? { session: fresh(), bytes: model.length, users: 0 };
    kept.delete(key);
    kept.set(key, entry);
    entry.users++;
    const session = await entry.session.catch((error) => {
      kept.delete(key);
      throw error;
    });
    let released = false;
    return {
      run: (given, results) => {
        if (released) throw new Error("the session is released");
        return session.run(given, results);
      },
      profile: () => session.profile(),
      release: async () => {
        if (!released) entry.users--;
        released = true;
        await dropOldest();
      },
    };
  };

async function dropOldest(): Promise<void> {
  let total = [...kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  for (const [key, { session, bytes, users }] of kept) {
    if (total <= BUDGET) return;
    if (users > 0) continue;
    kept.delete(key);
    total -= bytes;
    await (await session).release();
  }
}
