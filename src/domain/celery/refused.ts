import type { MessageRefusal, Reads } from '../../contracts/celery/celery.ts';

/** Thrown if a message is no task; `refusal` says why. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: MessageRefusal;

  constructor(code: MessageRefusal['code'], detail: string) {
    super(detail);
    this.refusal = { code, detail };
  }
}

/** Reads a value. @throws {Refused} if it is not valid, with the place of the fault. */
export function checked<Value>(schema: Reads<Value>, value: unknown, where: string): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = [where, ...(issue?.path ?? [])].join('.');
  throw new Refused('not_a_task', `${path}: ${issue?.message ?? 'is not as Celery writes it'}`);
}
