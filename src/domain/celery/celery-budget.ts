import { LIMITS } from '../../contracts/budgets.ts';
import type { FollowUps, OutgoingTask, Signature } from '../../contracts/celery/celery.ts';
import { chordBody, chordMembers, groupMembers } from './celery-signature.ts';

/** The cost of publishing a signature, or the rest of a chain. */
interface Cost {
  tasks: number;
  /** Length of the JSON of all their messages, in characters, without the results that they take. */
  characters: number;
  /** Length of the JSON of the signatures themselves, which the message before them carries. */
  carried: number;
}

const NOTHING: Cost = { tasks: 0, characters: 0, carried: 0 };

/** Roughly how many characters the headers and properties of a message take. */
const ENVELOPE_CHARACTERS = 500;

/**
 * Returns the reason why too much would follow a task, in one line; undefined if it is not too much. Each member of a group goes on
 * with the rest of the chain, so a message of 1 MB can ask for gigabytes. The size is computed without unfolding anything.
 */
export function excessOf({ callbacks, errbacks, chain }: FollowUps): string | undefined {
  const { tasks, characters } = sum([
    chainCost(chain, NOTHING),
    ...[...callbacks, ...errbacks].map((one) => cost(one, NOTHING)),
  ]);
  const { followUps, followUpsCharacters } = LIMITS.messages;
  if (tasks > followUps) return `${tasks} tasks would follow; ${followUps} is the most`;
  return characters > followUpsCharacters ? tooLong() : undefined;
}

/** Returns the reason why the tasks that follow an ended one are too much, with the result that each takes. */
export function excessWithResult(tasks: OutgoingTask[]): string | undefined {
  let characters = 0;
  for (const { body } of tasks) {
    characters += ENVELOPE_CHARACTERS + JSON.stringify(body).length;
    if (characters > LIMITS.messages.followUpsCharacters) return tooLong();
  }
  return undefined;
}

function tooLong(): string {
  return `the tasks that follow would have more than ${LIMITS.messages.followUpsCharacters} characters of JSON`;
}

/** Returns the cost of steps in Celery's order, the next one last, with what comes after them. */
function chainCost(steps: Signature[], after: Cost): Cost {
  return steps.reduce((rest, step) => {
    const own = cost(step, rest);
    return { ...own, carried: own.carried + rest.carried };
  }, after);
}

/** Returns the cost of a step. @param after the cost of what each task of this step goes on with. */
function cost({ subtask_type, args, kwargs, options }: Signature, after: Cost): Cost {
  if (subtask_type === 'group') {
    return sum(groupMembers(kwargs).map((member) => cost(member, after)));
  }
  if (subtask_type === 'chain') return chainCost(groupMembers(kwargs).reverse(), after);
  if (subtask_type === 'chord') {
    // Each member carries the body.
    const body = cost(chordBody(kwargs), after);
    const members = chordMembers(kwargs).map((member) => cost(member, { ...NOTHING, carried: body.carried }));
    return sum([...members, { ...body, carried: 0 }]);
  }
  const links = sum([...options.link, ...options.link_error].map((one) => cost(one, NOTHING)));
  const next = chainCost(options.chain, after);
  const own = ENVELOPE_CHARACTERS + JSON.stringify([args, kwargs]).length + links.carried;
  return {
    tasks: 1 + links.tasks + next.tasks,
    characters: own + next.carried + links.characters + next.characters,
    carried: own + next.carried - after.carried,
  };
}

function sum(costs: Cost[]): Cost {
  return costs.reduce(
    (all, { tasks, characters, carried }) => ({
      tasks: all.tasks + tasks,
      characters: all.characters + characters,
      carried: all.carried + carried,
    }),
    NOTHING,
  );
}
