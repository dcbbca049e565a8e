import type { Gate } from '../../commands/keys/gate.ts';
import { revokeKey } from '../../commands/keys/revoke-key.ts';
import { notFound } from '../../commands/refusal.ts';
import { keyIdParam } from '../../contracts/keys/key.ts';
import { findKey } from '../../store/keys/key-list.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { revokeQuestion } from './keys.ts';

/** Revokes a key. */
export function revoke(console: Console, deps: ConsoleDependencies & { gate: Gate }): void {
  console.post('/keys/:id/revoke', needs('admin'), async (c) => {
    const { id } = valid(keyIdParam, c.req.param());
    const key = await findKey(deps.db, id);
    if (!key) throw notFound(`key ${id}`);
    return confirmed(c, { question: revokeQuestion(key.name), label: 'Revoke it' }, async () => {
      await revokeKey(deps, id, c.var.caller);
      c.var.log.info({ key_id: id, by: c.var.caller }, 'key revoked');
      return seeOther(c, 'keys', { tone: 'good', text: `The key ${id} of ${key.name} is revoked.` });
    });
  });
}
