import type { Routes } from './http-listener.js';

/** Something without which the node cannot do its work now. */
export interface Lack {
  /** Stable, for programs. */
  readonly what: string;
  /** For people: what is the case. */
  readonly detail: string;
}

/** `/livez`: the process answers. `/readyz`: 200, or 503 and what is missing. */
export function healthRoutes(lacks: () => readonly Lack[]): Routes {
  return (app) => {
    app.get('/livez', { config: { open: true } }, () => 'ok\n');
    app.get('/readyz', { config: { open: true } }, (_, reply) => {
      const missing = lacks();
      void reply.code(missing.length === 0 ? 200 : 503).send({ ready: missing.length === 0, missing });
    });
  };
}
