import { Counter, Gauge, type Registry } from 'prom-client';

/** Of the configuration file: counted by the process that reads it. */
export function reloadMetrics(register: Registry) {
  const registers = [register];
  return {
    reloads: new Counter({
      name: 'estafet_config_reloads_total',
      help: 'Reloads of the configuration file, by outcome: `applied`, `unchanged`, `refused`.',
      labelNames: ['outcome'],
      registers,
    }),
    fileRefused: new Gauge({
      name: 'estafet_config_refused',
      help: '1 while the file on disk is refused and an older configuration stays in force, else 0.',
      aggregator: 'max',
      registers,
    }),
  };
}

/** Of the workers: kept by the primary, and absent where one process serves. */
export function workerMetrics(register: Registry, serving: () => number) {
  const registers = [register];
  new Gauge({
    name: 'estafet_workers_serving',
    help: 'Workers that accept requests now. Absent with a single process.',
    registers,
    collect() {
      this.set(serving());
    },
  });
  return {
    ends: new Counter({
      name: 'estafet_worker_ends_total',
      help: 'Workers that ended unexpectedly and were replaced. Absent with a single process.',
      registers,
    }),
  };
}
