/** Of `estafet serve`. */
export interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly workers?: number | 'auto';
}
