/** What `hapax doctor` found about one thing. */
export interface Check {
  name: string;
  /** `note`: it works, and somebody may want to know. */
  status: 'ok' | 'note' | 'fault';
  /** One line. */
  detail: string;
  /** What to do; with every fault. */
  remedy?: string;
}
