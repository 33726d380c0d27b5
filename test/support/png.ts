import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

/** Pixels of a PNG file of 8 bits per channel, RGB or RGBA, without interlacing. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: Uint8Array;
}

/** Reads a PNG file (ISO/IEC 15948): chunks, and the five filters of lines. */
export function readPng(path: string): Picture {
  const file = readFileSync(path);
  const data: Buffer[] = [];
  let [width, height, channels] = [0, 0, 0];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    const type = file.toString("latin1", at + 4, at + 8);
    const body = file.subarray(at + 8, at + 8 + length);
    if (type === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      const kind = { 2: 3, 6: 4 }[body[9]!];
      if (body[8] !== 8 || kind === undefined || body[12] !== 0) throw new Error(`${path}: a PNG of another kind`);
      channels = kind;
    }
    if (type === "IDAT") data.push(body);
    at += length + 12;
  }
  const lines = inflateSync(Buffer.concat(data));
  const stride = width * channels;
  const pixels = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= channels ? pixels[y * stride + x - channels]! : 0;
      const up = y > 0 ? pixels[(y - 1) * stride + x]! : 0;
      const corner = x >= channels && y > 0 ? pixels[(y - 1) * stride + x - channels]! : 0;
      const before = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter!]!;
      pixels[y * stride + x] = lines[y * (stride + 1) + 1 + x]! + before;
    }
  }
  return { width, height, channels, pixels };
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value)) as [number, number, number];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** The part of the pixels that differ from the one in the corner: 0 of a blank picture. */
export function drawnPart({ width, height, channels, pixels }: Picture): number {
  let drawn = 0;
  for (let i = 0; i < width * height; i++)
    if ([0, 1, 2].some((c) => Math.abs(pixels[i * channels + c]! - pixels[c]!) > 16)) drawn++;
  return drawn / (width * height);
}
