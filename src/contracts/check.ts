/** A finding of `hapax doctor` about one thing. */
export interface Check {
  name: string;
  /** `note`: it works, but somebody may want to know. */
  status: 'ok' | 'note' | 'fault';
  /** One line. */
  detail: string;
  /** What to do. Every fault has one. */
  remedy?: string;
}
