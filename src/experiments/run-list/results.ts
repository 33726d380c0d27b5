/** What came out of a run so far, by the names that filters and columns have; what is not known is left out. */
export interface Results {
  /** Complete epochs. */
  readonly epochs?: number | undefined;
  /** Steps that its newest checkpoint, or its end, has. */
  readonly steps?: number | undefined;
  /** "3/10" epochs, or "40/2000 steps". */
  readonly done?: string | undefined;
  readonly trainLoss?: number | undefined;
  readonly trainAccuracy?: number | undefined;
  readonly valLoss?: number | undefined;
  readonly valAccuracy?: number | undefined;
  readonly testLoss?: number | undefined;
  readonly testAccuracy?: number | undefined;
  /** λ₁ as it was last measured, and ‖Hv − λ₁v‖/|λ₁|. */
  readonly eigenvalue?: number | undefined;
  readonly residual?: number | undefined;
  /** Time spent. */
  readonly seconds?: number | undefined;
}
