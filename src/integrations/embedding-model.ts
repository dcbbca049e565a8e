/** Turns texts into vectors that lie close where the texts mean much the same. */
export interface EmbeddingModel {
  /** Its vectors are kept under this name, and never compared with those of another. */
  readonly name: string;
  /** Texts that it is given at once. */
  readonly batch: number;
  /**
   * @param purpose some models treat what is searched for unlike what is searched.
   * @throws {PermanentTaskError} where it never will, {@link RetryableTaskError} where it may later.
   */
  embed(texts: string[], purpose: 'document' | 'query', signal: AbortSignal): Promise<number[][]>;
  close(): Promise<void>;
}

/** Writes summaries. */
export interface SummaryModel {
  readonly name: string;
  /** @throws as {@link EmbeddingModel.embed}. */
  summarize(text: string, signal: AbortSignal): Promise<string>;
}
