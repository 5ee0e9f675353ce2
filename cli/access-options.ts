import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatPath, type Problem } from '../config/problem.ts';
import type { SettingsPatch } from '../server/access/settings-patch.ts';
import { type ModelLimitsOption, modelLimits, money } from './model-limits-option.ts';

/** Options of `estafet key` and `estafet team`, and the settings they stand for. `none` removes a setting. */
export interface AccessOptions {
  readonly rpm?: number | None;
  readonly rpd?: number | None;
  readonly tpm?: number | None;
  readonly tpd?: number | None;
  readonly concurrency?: number | None;
  readonly outputReserve?: number | None;
  readonly budget?: ReturnType<typeof money> | None;
  readonly modelLimits?: ModelLimitsOption;
  readonly vendors?: readonly string[] | None;
  readonly regions?: readonly string[] | None;
  readonly models?: readonly string[] | None;
  readonly callers?: readonly string[] | None;
  readonly countries?: readonly string[] | None;
  readonly strict?: boolean;
  readonly onDisconnect?: string;
  readonly reasoning?: string;
  readonly expires?: string;
  readonly timeZone?: string;
  readonly onStoreLoss?: string;
  readonly logPrompts?: boolean;
}

/** Not null: commander would take that for an option without a value. */
type None = 'none';

const LIMITS = ['rpm', 'rpd', 'tpm', 'tpd', 'concurrency', 'outputReserve', 'budget'] as const;
const PERMIT = ['vendors', 'regions', 'models', 'callers', 'countries'] as const;
const OTHERS = ['strict', 'onDisconnect', 'reasoning', 'expires', 'timeZone', 'onStoreLoss', 'logPrompts'] as const;

const DURATIONS_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** The options of a key; each stands for the key of the file that has its name. */
export function keyOptions(command: Command): Command {
  return permitOptions(limitOptions(command))
    .option('--strict', 'refuse a request (400) if carrying it to the vendor would need a change that may alter the answer')
    .option('--no-strict', 'the opposite')
    .addOption(
      new Option(
        '--on-disconnect <what>',
        "when the app disconnects: end the vendor's call, or read the answer to its end to learn its cost",
      ).choices(['cancel', 'drain']),
    )
    .addOption(new Option('--reasoning <what>', 'whether answers contain `reasoning_content`').choices(['show', 'hide']))
    .option('--expires <when>', '12h, 30d or 8w from now, or a time such as 2027-01-31T00:00:00Z, or none', moment);
}

export function teamOptions(command: Command): Command {
  return permitOptions(limitOptions(command))
    .option('--time-zone <zone>', 'time zone of the windows of budgets, such as Asia/Shanghai, or none (UTC)')
    .addOption(
      new Option('--on-store-loss <what>', 'what happens to requests while Redis is unavailable').choices(['refuse', 'local', 'admit']),
    )
    .option('--log-prompts', 'write prompts and answers of the team to the log')
    .option('--no-log-prompts', 'the opposite');
}

function limitOptions(command: Command): Command {
  return command
    .option('--rpm <n>', 'requests per minute, or none', number)
    .option('--rpd <n>', 'requests per day, or none', number)
    .option('--tpm <n>', 'tokens per minute, or none', number)
    .option('--tpd <n>', 'tokens per day, or none', number)
    .option('--concurrency <n>', 'requests at the same time, or none', number)
    .option('--budget <money>', 'money, such as "500 CNY per month" (CNY or USD; hour, day, week, month or never), or none', budget)
    .option('--output-reserve <n>', 'most output tokens to reserve for each choice, or none', number)
    .option(
      '--model-limits <entry>',
      'limits for a model or pattern, such as "gpt-4*=rpm 60, budget 5 CNY per month" or "gpt-4*=none", or none; may be repeated',
      modelLimits,
    );
}

function permitOptions(command: Command): Command {
  return command
    .option('--vendors <list>', 'vendors that requests may go to, such as qwen,glm, or none', list)
    .option('--regions <list>', 'regions that requests may go to, such as cn-*,intl, or none', list)
    .option('--models <list>', 'model names that apps may request, such as gpt-4o,qwen-*, or none', list)
    .option('--callers <list>', 'addresses and networks that requests may come from, such as 10.0.0.0/8, or none', list)
    .option('--countries <list>', 'countries that requests may come from, such as CN,SG, or none', list);
}

/** Null when no option says anything. */
export function patchOf(options: AccessOptions): SettingsPatch | null {
  const { modelLimits: models } = options;
  const limits = { ...given(options, LIMITS), ...(models === undefined ? {} : { models: models === 'none' ? null : models }) };
  const permit = given(options, PERMIT);
  const others = given(options, OTHERS);
  if ([limits, permit, others].every((part) => Object.keys(part).length === 0)) return null;
  return { ...others, ...(Object.keys(limits).length === 0 ? {} : { limits }), ...(Object.keys(permit).length === 0 ? {} : { permit }) };
}

function given<Name extends keyof AccessOptions>(options: AccessOptions, names: readonly Name[]): Readonly<Record<string, unknown>> {
  const set = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, options[name] === 'none' ? null : options[name]]));
}

/** A problem in the words of the command line: `permit.regions[0]` is what `--regions` said. */
export function optionProblem({ path, message }: Problem): string {
  if (path === 'limits.models' || path.startsWith('limits.models.')) {
    const rest = path.slice('limits.models.'.length);
    return `--model-limits: ${rest === '' ? '' : `${rest}: `}${message}`;
  }
  const [first = '', second = ''] = path.split(/[.[]/);
  const field = first === 'limits' || first === 'permit' ? second : first;
  if (![...LIMITS, ...PERMIT, ...OTHERS].some((name) => formatPath([name]) === field)) return path === '' ? message : `${path}: ${message}`;
  const rest = field === 'budget' ? path.split('.').at(2) : undefined;
  return `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}: ${rest === undefined ? '' : `${rest} `}${message}`;
}

function number(text: string): number | None {
  if (text === 'none') return 'none';
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new InvalidArgumentError('must be a number, or none');
  return Number(text);
}

const budget = (text: string): ReturnType<typeof money> | None => (text === 'none' ? 'none' : money(text));

function list(text: string): string[] | None {
  if (text === 'none') return 'none';
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.includes('')) throw new InvalidArgumentError('must be a list separated by commas, without empty entries, or none');
  return entries;
}

function moment(given: string): string {
  const [, count, unit] = /^(\d{1,6})([hdw])$/.exec(given) ?? [];
  if (count === undefined) return given;
  return new Date(Date.now() + Number(count) * DURATIONS_MS[unit as keyof typeof DURATIONS_MS]).toISOString();
}
