/** Every tolerance of the suite, with its reason. All are relative errors of whole arrays, ‖a − b‖ / ‖b‖. */

/** Two float64 computations of one small expression: tens of roundings of 1.1e-16 and little cancellation. */
export const F64 = 1e-12;

/** The same in float32 (6e-8 per rounding): sums of up to a hundred terms, and Winograd's transforms. */
export const F32 = 3e-6;

/** Central differences of float64 with step h = 1e-5: h² truncation times third derivatives, 1e-16/h rounding. */
export const DIFFERENCE = 1e-7;
export const DIFFERENCE_STEP = 1e-5;

/** float64 against PyTorch's float64: another order of summation, and second derivatives that cancel. */
export const GOLDEN_F64 = 1e-10;

/** [∇f(θ+εu) − 2∇f(θ) + ∇f(θ−εu)]/ε² at ε = 1e-3: ε² truncation, 1e-16/ε² rounding. */
export const SECOND_DIFFERENCE = 1e-5;
export const SECOND_DIFFERENCE_STEP = 1e-3;

/** A ResNet-18's gradient and HVP in float64: 1e-16 grown by batch norm over eight images and twenty layers. */
export const RESNET_F64 = { grad: 1e-11, hvp: 1e-11 };

/** The same in float32, SiLU, convolutions as plain sums: 6e-8 grown as above. */
export const RESNET_F32_DIRECT = { grad: 5e-6, hvp: 1e-5 };

/** Winograd's transforms add a factor of about five per layer (src/onnx/lower/toom-cook.ts). */
export const RESNET_F32_WINOGRAD = { grad: 3e-5, hvp: 6e-5 };

/** ReLU: a unit near zero that falls on the other side in float32 is an error of its own; PyTorch makes them too. */
export const RESNET_F32_RELU_TIMES_TORCH = 2;

/** A vision transformer of two blocks in float32: 6e-8 grown by four norms and two softmaxes, once more by each derivative. */
export const VIT_F32 = { logits: 2e-6, grad: 5e-6, hvp: 1e-5, third: 2e-5 };

/** 160 power iterations: (λ₂/λ₁)^160 is far below, what is left is float64 rounding. */
export const POWER_ITERATION = 1e-10;

/** The table of cosines is rounded to three decimals. */
export const COS_TABLE = 5.1e-4;

/** ⟨a, b⟩ of orthogonal vectors of length below 1, a dozen numbers each. */
export const ORTHOGONAL = 1e-15;

/** Rewriting reorders sums and products: tens of roundings, relative to the largest intermediate value. */
export const SIMPLIFIED = 1e-12;

/**
 * One float32 step of training from the same state as PyTorch's, on a smooth network of 158 weights: a few roundings of 6e-8, which the
 * difference of two gradients and five Hessian-vector products enlarge. Measured: 2e-7, 4e-6, 4e-8, 9e-7, 1e-7.
 */
export const OFFICIAL = { loss: 1e-6, v: 1e-4, theta: 1e-6, momentum: 1e-5, buffers: 1e-6 };

/** The largest of ninety roundings against the largest of ninety others, of the same size: one may be twice the other. */
export const OFFICIAL_APART = 2;

/** Eigenvalues, moments and traces of a Hessian in float64 against those of the dense matrix. */
export const DENSE = 1e-6;

/** A float32 product over mini-batches against the same images in one: other orders of summation. */
export const CONCATENATED = 1e-5;

/** Outer eigenvalues by float32 products, residuals below 5e-3: the square of the residual over the gap, and rounding. */
export const LANCZOS_F32 = 1e-3;

/** An order of convergence, fitted to a few halvings: what the next order still adds. */
export const SLOPE = 0.15;

/** Standard deviations within which dozens of sampled numbers all lie. */
export const SIGMAS = 4;

/** One float32 step or estimate of a small network against float64: differences of gradients lose a digit or two. */
export const TRAINER_F32 = 1e-4;

/** Logarithms of densities, against Optuna's: sums of a hundred terms, normal distributions over narrow cells by differences of tails. */
export const LOG_DENSITY = 1e-9;
