import type { InferenceSession, Tensor } from 'onnxruntime-web';

/** What is taken of the module onnxruntime-web. */
export interface OnnxRuntime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof Tensor;
}

export interface LoraRun {
  /** The name of a loaded adapter; without it the base answers. */
  adapter?: string;

  /** The outputs that are wanted; all when left out. */
  fetches?: InferenceSession.FetchesType;

  /** Options of `InferenceSession.run`. */
  run?: InferenceSession.RunOptions;
}

/** A base model and LoRA adapters by name, in one session. */
export class LoraSession {
  /** Takes over a session of a model that `ortpeft export --format onnx-adapter --required-inputs` wrote. */
  constructor(ort: OnnxRuntime, session: InferenceSession);

  /** Opens a model; the arguments after the module are those of `InferenceSession.create`. */
  static create(ort: OnnxRuntime, model: string, options?: InferenceSession.SessionOptions): Promise<LoraSession>;
  static create(
    ort: OnnxRuntime, model: ArrayBufferLike | Uint8Array, options?: InferenceSession.SessionOptions): Promise<LoraSession>;

  /** The inputs that `run` wants; those of adapters are not among them. */
  readonly inputNames: readonly string[];

  readonly outputNames: readonly string[];

  /** The names of the loaded adapters. */
  readonly adapters: string[];

  /** Loads an `.onnx_adapter` file, from its bytes or from where it is fetched; one of the same name is replaced. */
  load(name: string, source: ArrayBuffer | Uint8Array | string | URL): Promise<void>;

  /** Forgets an adapter; false where there was none. */
  unload(name: string): boolean;

  /** Runs the base, or the base with an adapter. */
  run(feeds: InferenceSession.FeedsType, options?: LoraRun): Promise<InferenceSession.ReturnType>;

  /** Closes the session. */
  release(): Promise<void>;
}
