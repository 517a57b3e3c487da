import type { Routes } from './http-listener.js';

/** MetricsRegistry. */
interface Scraped {
  readonly contentType: string;
  scrape(): Promise<string>;
}

/** `/metrics`, in Prometheus's text format. */
export function metricsRoute(metrics: Scraped): Routes {
  return (app) => {
    app.get('/metrics', { config: { scope: 'metrics' } }, async (_, reply) => {
      void reply.type(metrics.contentType);
      return metrics.scrape();
    });
  };
}
