import { PermanentTaskError } from '../../domain/tasks/task-error.ts';

/** Thrown if a model never makes a vector of one of the texts that it was given. */
export class TextRefused extends PermanentTaskError {
  constructor(message: string) {
    super({ type: 'ModelRefused', message });
  }
}

/** Turns texts into vectors that are close if the texts mean about the same. */
export interface EmbeddingModel {
  /** Vectors are stored under this name, and never compared with those of another model. */
  readonly name: string;
  /** How many texts it embeds at once. */
  readonly batch: number;
  /** Returns which model has the name now. @throws as {@link embed}. */
  identify(signal: AbortSignal): Promise<ModelIdentity>;
  /** Says whether the model knows the language of a text well enough to find it by meaning. */
  reads(text: string): boolean;
  /**
   * Returns one vector for each text. A text that is too long for the model is split; its vector is the mean of the pieces' vectors.
   * @param purpose some models treat queries and documents differently.
   * @throws {TextRefused} if it never succeeds with one of the texts, {@link PermanentTaskError} if it can never succeed,
   * {@link RetryableTaskError} if it may succeed later.
   */
  embed(texts: string[], purpose: 'document' | 'query', signal: AbortSignal): Promise<number[][]>;
  close(): Promise<void>;
}

/** Tells two models with the same name apart. Undefined: the server does not say. */
export interface ModelIdentity {
  /** Digest of the model's files. */
  revision: string | undefined;
  /** Length of its vectors. */
  dimensions: number | undefined;
}

/** Writes summaries. */
export interface SummaryModel {
  readonly name: string;
  /** Returns which model has the name now. @throws as {@link EmbeddingModel.embed}. */
  identify(signal: AbortSignal): Promise<{
    /** Digest of the model's files. */
    revision: string | undefined;
    /** Longest text that it reads at once, as an estimate. */
    inputTokens: number;
  }>;
  /** Returns only the summary, without the model's thoughts and remarks. @throws as {@link EmbeddingModel.embed}. */
  summarize(text: string, signal: AbortSignal): Promise<string>;
}
