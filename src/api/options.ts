import type { NormalizationName } from "../data/dataset.ts";
import type { DatasetEntry } from "../data/entry.ts";
import type { DatasetName } from "../data/index.ts";
import type { Activation, ModelEntry } from "../models/entry.ts";
import type { ModelName } from "../models/index.ts";
import type { LossFunction, LossName, LossRule } from "../nn/losses.ts";
import type { InitName } from "../nn/init.ts";
import type { Network } from "../nn/scope.ts";
import type { SolverName } from "../optim/eigenvector.ts";
import type { Hypers } from "../optim/hyper.ts";
import type { Method } from "../optim/method.ts";
import type { trainingMethods } from "../optim/methods/index.ts";
import type { StepMetric } from "../optim/metrics/metric.ts";
import type { OptimizerName, OptimizerSettings } from "../optim/optimizers.ts";
import type { ScheduleName } from "../optim/schedules.ts";
import type { Device } from "../runtime/device.ts";
import type { DataInput } from "./arrays.ts";

/** How a method's v is kept up; see `docs/guide/train.md`. */
export interface EigenvectorOptions {
  /** Strength α with which a method's own ε is turned towards v, as Eigen-SAM turns SAM's; left out or 0, none. */
  readonly align?: number;
  /** How v is estimated; left out, "free": it follows the change of the gradient. */
  readonly solver?: SolverName;
  /** Steps between estimates, k (100). */
  readonly every?: number;
  /** Hessian-vector products per estimate, p (5). */
  readonly iterations?: number;
  /** Part of v that the change of the gradient replaces in every step, for the solver "free" (0.1). */
  readonly follow?: number;
  /** Batch norm inside the Hessian: by the mini-batch's statistics (the default) or the running ones. */
  readonly hessianBn?: "batch" | "running";
  /** Before the first regular estimate: make one at step 0 (the default), or take steps of SAM or USAM. */
  readonly warmup?: "estimate" | "sam" | "usam";
  /**
   * "official" does as the authors' code: it counts steps within the epoch, and sets solver, warmup, hessianBn, the schedule, validation
   * and, for CIFAR, the normalization of pixels. Others are refused.
   */
  readonly compat?: "none" | "official";
}

/** When a method acts, and on what. */
export interface PhaseOptions {
  /** Epoch from which the method acts, fractions allowed; the steps before it are its base optimizer's (0). */
  readonly from?: number;
  /** Parts of each mini-batch that the method perturbs apart, each along its own gradient (1). Not for methods that keep vectors. */
  readonly m?: number;
}

/** How ρ begins, for methods that read it. */
export interface RadiusOptions {
  /** Epochs over which ρ grows linearly from 0 to its value; 0, the default, is off. */
  readonly rhoWarmup?: number;
}

type BuiltIn = typeof trainingMethods;
type NumbersOf<H extends Hypers> = { readonly [K in keyof H]?: number };

/** A built-in method by name with the numbers it reads. */
export type NamedMethod = {
  [N in keyof BuiltIn]: { readonly name: N } & NumbersOf<BuiltIn[N]["hyper"]> &
    EigenvectorOptions &
    PhaseOptions &
    RadiusOptions;
}[keyof BuiltIn];

/** A method by value with the numbers it reads. */
export type UsedMethod<M extends Method> = { readonly use: M } & NumbersOf<M["hyper"]> &
  EigenvectorOptions &
  PhaseOptions &
  RadiusOptions;

/** The settings of a model. */
export interface ModelSettings {
  /** Channels of the first stage, widening factor or hidden units; left out, the model's default. */
  readonly width?: number;
  /** Layers, where the model has a choice. */
  readonly depth?: number;
  /** Heads of attention, of transformers; the width is a multiple of them. */
  readonly heads?: number;
  /** Height and width of a vision transformer's patches, in pixels. */
  readonly patch?: number;
  /** Rates of dropout, of dropout of attention's weights and of stochastic depth, of vision transformers (0). */
  readonly dropout?: number;
  readonly attentionDropout?: number;
  readonly dropPath?: number;
  /** Height and width that images are resized to inside the graph, in pixels, bilinearly; left out, they stay as they are. */
  readonly resize?: number;
  /** The nonlinearity, where the model has a choice. */
  readonly activation?: Activation;
  /** How weights of layers start: "default" as PyTorch, "he" for ReLU, "xavier" for tanh. */
  readonly init?: InitName;
  /** File to start from, safetensors or .pth, with our names, torchvision's, Hugging Face's or timm's. */
  readonly weights?: string;
  /** Starts the last layer anew, whatever `weights` holds (false). */
  readonly newHead?: boolean;
  /** Whether `weights` must hold every tensor in its shape and nothing else (true); false takes what fits. */
  readonly strict?: boolean;
}

/** A built-in model with its settings. */
export interface ModelChoice extends ModelSettings {
  readonly name: ModelName;
}

/** A model by value with its settings. */
export interface UsedModel extends ModelSettings {
  readonly use: ModelEntry;
}

/** A shipped or fetched data set; arrays of one's own are given as they are. */
export type NamedData = Exclude<DatasetName, "npy" | "csv" | "folder">;

/** Tables of one's own: .csv files with a line of column names. Numbers are standardized by the training rows; text is indicators, or classes. */
export interface CsvData {
  readonly name: "csv";
  /** Training rows. */
  readonly file: string;
  /** Test rows (none). */
  readonly testFile?: string;
  /** The column to predict. */
  readonly target: string;
  /** The columns to predict it from (all others). */
  readonly columns?: readonly string[];
  /** Whether whole numbers in the target are classes (false). */
  readonly classes?: boolean;
}

/** Images of one's own, .png and .jpg, in folders by class; the names of the folders are the classes, sorted. */
export interface FolderData {
  readonly name: "folder";
  /** Holds train/CLASS/*, and perhaps test/CLASS/*. */
  readonly path: string;
  /** The shorter side is brought to so many pixels, and the square in the middle taken (as the files are). */
  readonly size?: number;
}

/** A base optimizer with its settings. */
export interface OptimizerChoice extends Partial<OptimizerSettings> {
  /** Left out, "sgd". */
  readonly name?: OptimizerName;
  /** Learning rate η; each optimizer has its default. */
  readonly lr?: number;
}

/** A learning-rate schedule with its settings. */
export interface ScheduleChoice {
  /** Left out, "cosine". */
  readonly name?: ScheduleName;
  /** Epochs of linear warm-up (0). */
  readonly warmup?: number;
  /** Epochs at which "step" multiplies the rate by gamma. */
  readonly milestones?: readonly number[];
  /** Factor at each milestone (0.1). */
  readonly gamma?: number;
}

/** What the probe measures, and how often; the reference of the settings says more. */
export interface ProbeChoice {
  /** Steps between looks, and one at the end; 0, the default, is off. */
  readonly every?: number;
  /** Further steps, counted from 0, before which it looks. */
  readonly at?: readonly number[];
  /** Mini-batches of its Hessian (4). */
  readonly batches?: number;
  /** Largest eigenvalues that it finds (3). */
  readonly top?: number;
  /** Residual at which it stops (0.05). */
  readonly tolerance?: number;
  /** Hessian-vector products of one look, at most (40). */
  readonly products?: number;
}

/** Over which mini-batches a Hessian is taken, and how. */
export interface HessianChoices {
  /** Mini-batches; left out, eight of a data set (or as many as there are), and all of images of your own. */
  readonly batches?: number | "all";
  /** Whether `seed` draws their examples at random (the default), or they are the first ones. */
  readonly order?: "random" | "first";
  /** Batch norm by each mini-batch's statistics (the default), or by running ones. */
  readonly bn?: "batch" | "running";
  readonly dtype?: "f32" | "f64";
}

/** How a mini-batch is stepped on: shared by `train` and `compileStep`. */
export interface StepChoices<M extends Method> {
  /**
   * Left out, cross-entropy for labels and mse for real-valued targets. A function gets (output, target) and gives the
   * mean; `{ use }` takes a whole rule, with its predictions and accuracy.
   */
  readonly loss?: LossName | LossFunction | { readonly use: LossRule };
  /** Left out, Eigen-SAM. */
  readonly method?: keyof BuiltIn | NamedMethod | UsedMethod<M>;
  /** Left out, SGD with momentum. */
  readonly optimizer?: OptimizerName | OptimizerChoice;
  /** Patterns of parameter names that are not trained; * stands for any text: ["conv1.*"]. */
  readonly freeze?: readonly string[];
  /** Part of each target that is spread over all classes. */
  readonly labelSmoothing?: number;
  /** Largest norm of the descent direction; 0 is off. */
  readonly clip?: number;
  /** Left out, "cpu". */
  readonly device?: Device;
  /** Threads of ONNX Runtime; left out, one per core. */
  readonly threads?: number;
  /** Further numbers that every step records. */
  readonly metrics?: readonly StepMetric[];
}

/** Everything that `train` can be told. All but data and model have the defaults of `eigensam train`. */
export interface TrainOptions<M extends Method = Method> extends StepChoices<M> {
  /** A shipped or fetched set by name, or data of one's own. */
  readonly data:
    | NamedData
    | { readonly name: NamedData; readonly dir?: string; readonly normalization?: NormalizationName }
    | CsvData
    | FolderData
    | { readonly use: DatasetEntry; readonly dir?: string }
    | DataInput;
  /** A model by name or by value, or a network function of one's own. */
  readonly model: ModelName | ModelChoice | UsedModel | Network;
  /** How the learning rate changes over the run; left out, the cosine to 0. */
  readonly schedule?: ScheduleName | ScheduleChoice;
  /** Passes over the training examples (10). */
  readonly epochs?: number;
  /** Examples per step; left out, 128 or as many training examples as there are. */
  readonly batch?: number;
  /** Decides initialization, order of examples, augmentation and first eigenvector (1). */
  readonly seed?: number;
  /** Part of the training examples kept for validation; left out, 0.1 for named sets and 0 for arrays. */
  readonly validation?: number;
  /** Training examples that are used, drawn at random after validation is set aside; 0, the default, is all. */
  readonly examples?: number;
  /** Part of the training labels that is replaced by another class at random (0). Validation and test keep theirs. */
  readonly labelNoise?: number;
  /** α of mixup: training examples are mixed in pairs, with shares from Beta(α, α); left out, they are not. */
  readonly mixup?: number;
  /** Random changes of training images; left out, crop 4 and flip for clothing and CIFAR, and none for digits and arrays. */
  readonly augment?:
    | false
    | {
        readonly crop?: number;
        readonly flip?: boolean;
        readonly cutout?: number;
        /** Operations of RandAugment's geometric part per image, how far they go (0 to 30), how they read between pixels, and the raw pixel outside. */
        readonly randAugment?: number;
        readonly magnitude?: number;
        readonly interpolation?: "nearest" | "bilinear";
        readonly fill?: number;
      };
  /** Micro-batches that each mini-batch is computed in, one after another, to take the memory of one (1). */
  readonly accumulate?: number;
  /** MiB that a graph's values, inputs and outputs may take; forward passes are computed again for gradients as far as that needs. Left out, any. */
  readonly memoryLimit?: number;
  /** Memory of a running mean of the weights, which is scored, kept and returned in their place; left out, none is kept. */
  readonly ema?: number;
  /** Steps between scorings of the validation examples besides that after every epoch; left out, none. */
  readonly validateEvery?: number;
  /** Epochs without a better validation score after which the run ends early; left out, it does not. */
  readonly patience?: number;
  /** Steps between checkpoints inside an epoch; 0, the default, saves at its end alone. */
  readonly checkpointEvery?: number;
  /** Measurements of λ₁ and alignment apart from the training: every so many steps, or with further settings. Left out, none. */
  readonly probe?: number | ProbeChoice;
  /** Epochs between scorings of the test examples besides the last; 0, the default, is off. */
  readonly testEvery?: number;
  /** Whether a run directory also holds its metrics as TensorBoard reads them (false). */
  readonly tensorboard?: boolean;
  /** A run directory; a run in it that was stopped or killed resumes. Left out, everything stays in memory. */
  readonly dir?: string;
}
