/** Turns texts into vectors that lie close where the texts mean much the same. */
export interface EmbeddingModel {
  /** Its vectors are kept under this name, and never compared with those of another. */
  readonly name: string;
  /** Texts that it is given at once. */
  readonly batch: number;
  /** Says which model stands behind the name now. @throws as {@link embed}. */
  identify(signal: AbortSignal): Promise<ModelIdentity>;
  /** Whether the model knows the language of a text well enough to find it by meaning. */
  reads(text: string): boolean;
  /**
   * One vector for each text. A text that is too long for the model is read in pieces; its vector is the mean of theirs.
   * @param purpose some models treat what is searched for unlike what is searched.
   * @throws {PermanentTaskError} where it never will, {@link RetryableTaskError} where it may later.
   */
  embed(texts: string[], purpose: 'document' | 'query', signal: AbortSignal): Promise<number[][]>;
  close(): Promise<void>;
}

/** What tells two models of one name apart. Undefined: the server does not say. */
export interface ModelIdentity {
  /** Digest of the model's files. */
  revision: string | undefined;
  /** Length of its vectors. */
  dimensions: number | undefined;
}

/** Writes summaries. */
export interface SummaryModel {
  readonly name: string;
  /** Says which model stands behind the name now. @throws as {@link EmbeddingModel.embed}. */
  identify(signal: AbortSignal): Promise<{
    /** Digest of the model's files. */
    revision: string | undefined;
    /** Longest text that it reads at once, by estimate. */
    inputTokens: number;
  }>;
  /** The summary alone, without the model's thoughts and remarks. @throws as {@link EmbeddingModel.embed}. */
  summarize(text: string, signal: AbortSignal): Promise<string>;
}
