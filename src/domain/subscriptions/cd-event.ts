import type { FeedEvent } from '../../contracts/event-feed.ts';
import type { SubscriptionMessage } from '../../contracts/subscriptions/subscription.ts';

/** Version of the CDEvents specification, and of its events about a pipelineRun. */
const SPECIFICATION = '0.5.1';
const PIPELINE_RUN = '0.3.0';

/** The predicate and content of the event's subject, except for the name of the pipeline. */
interface Step {
  predicate: 'queued' | 'started' | 'finished';
  content: { uri?: string; outcome?: 'success' | 'failure' | 'error' | 'cancel'; errors?: string };
}

/**
 * Translates an event to the vocabulary of CDEvents, where a build is a pipelineRun. Undefined for tasks, and for the many events
 * that it has no word for. A build counts as started once its run is known, since `started` must have the URL of the run.
 */
export function pipelineRunStep({ event_type, to_status, event_data = {} }: FeedEvent): Step | undefined {
  switch (event_type) {
    case 'build_queued':
      return { predicate: 'queued', content: {} };
    case 'workflow_triggered':
      return { predicate: 'started', content: { uri: String(event_data.run_url) } };
    case 'build_completed':
    case 'build_cancelled': {
      if (to_status === 'success') return { predicate: 'finished', content: { outcome: 'success' } };
      const { conclusion, detail, run_attempt } = event_data;
      const errors = String(detail ?? conclusion);
      if (to_status === 'cancelled') return { predicate: 'finished', content: { outcome: 'cancel', errors } };
      // CDEvents tells a run that failed from one that never existed.
      return { predicate: 'finished', content: { outcome: run_attempt === null ? 'error' : 'failure', errors } };
    }
    default:
      return undefined;
  }
}

/** Returns the CDEvent about a step of a build. */
export function cdEventOf(
  { predicate, content }: Step,
  { id, source, timestamp }: { id: string; source: string; timestamp: string },
  data: Pick<SubscriptionMessage['data'], 'stream' | 'build'>,
) {
  const { stream, build } = data;
  return {
    context: {
      specversion: SPECIFICATION,
      ...{ id, source, type: `dev.cdevents.pipelinerun.${predicate}.${PIPELINE_RUN}`, timestamp },
    },
    subject: {
      id: stream,
      content: { ...(build ? { pipelineName: `${build.repository}/${build.workflow}` } : {}), ...content },
    },
    customData: data,
    customDataContentType: 'application/json',
  };
}
