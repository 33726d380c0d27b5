import { type Device, deviceHints, devices } from "../../runtime/device.ts";
import { ChildError, startLineChild } from "../line-child.ts";
import { moduleExtension, nodeArguments } from "../../util/package.ts";

export interface DeviceState {
  readonly device: Device;
  readonly available: boolean;
  /** What is missing. */
  readonly reason?: string;
  readonly hint?: string;
}

export const deviceStates = (): Promise<DeviceState[]> => Promise.all(devices.map(probe));

/** Starts a session on the device in a child process. */
async function probe(device: Device): Promise<DeviceState> {
  const module = new URL(`./probe${moduleExtension}`, import.meta.url);
  const child = startLineChild({
    name: `the session on ${device}`,
    command: process.execPath,
    args: [...nodeArguments(module), device],
    env: process.env,
  });
  try {
    const { available, reason } = await child.next<{ available: boolean; reason?: string }>();
    return { device, available, ...(reason === undefined ? {} : explained(device, reason)) };
  } catch (error) {
    if (error instanceof ChildError) return { device, available: false, ...explained(device, error.message) };
    throw error;
  } finally {
    await child.stop();
  }
}

/** The runtime's message without its own hint, and without the place in ONNX Runtime's source it begins with. */
const explained = (device: Device, message: string) => ({
  reason: message
    .replace(/\n {2}hint: .*$/s, "")
    .replace(/\s+/g, " ")
    .replace(/^device \w+ (cannot load the graph|is not available): /, "")
    .replace(/^\/\S+:\d+ .* was (false|true)\. /, "")
    .trim(),
  hint: deviceHints[device],
});
