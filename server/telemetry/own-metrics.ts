import { Counter, Gauge, type Registry } from 'prom-client';

/** Of the configuration file: counted by the process that reads it. */
export function reloadMetrics(register: Registry) {
  const registers = [register];
  return {
    reloads: new Counter({
      name: 'estafet_config_reloads_total',
      help: 'How often the configuration file was read again: applied, unchanged, refused.',
      labelNames: ['outcome'],
      registers,
    }),
    fileRefused: new Gauge({
      name: 'estafet_config_refused',
      help: '1 while the file on disk is refused and an older configuration is in force, else 0.',
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
    help: 'Workers that take requests now. Absent where one process serves.',
    registers,
    collect() {
      this.set(serving());
    },
  });
  return {
    ends: new Counter({
      name: 'estafet_worker_ends_total',
      help: 'Workers that ended unasked and were replaced. Absent where one process serves.',
      registers,
    }),
  };
}
