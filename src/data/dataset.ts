/** Images and their labels. */
export interface Split {
  /** [count, C, H, W]: pixels 0…255, or numbers that are used as they are. */
  readonly images: Uint8Array | Float32Array;
  /** 0 … classes − 1. */
  readonly labels: Int32Array;
  readonly count: number;
}

export interface Dataset {
  readonly name: string;
  readonly classes: number;
  readonly imageShape: readonly [channels: number, height: number, width: number];
  /** Per channel, of pixels in 0…1; 0 and 1 for images that are used as they are. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly train: Split;
  readonly test: Split;
}

/** Where the files of a set may be, besides the usual places. */
export interface LoadOptions {
  /** Looked in first. */
  readonly dir?: string | undefined;
  readonly images?: string | undefined;
  readonly labels?: string | undefined;
  readonly testImages?: string | undefined;
  readonly testLabels?: string | undefined;
}
