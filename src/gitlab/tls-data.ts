/** What a job needs to reach its coordinator over TLS (spec protocol.md §7.3); empty texts = not needed. */
export interface TlsData {
  /** PEM certificates that verify the server. */
  readonly caChain: string;
  readonly certificate: string;
  readonly privateKey: string;
}
