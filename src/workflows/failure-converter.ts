import { DefaultFailureConverter, type FailureConverter } from '@temporalio/common';

type Converting = Parameters<FailureConverter['errorToFailure']>;

/**
 * Writes failures as Temporal's SDK does, but only with well-formed Unicode. A task can raise an error whose message has half of a
 * surrogate pair. That ends the worker, because its core cannot read the failure. The next worker would replay the workflow, and end
 * too.
 */
class WellFormedFailureConverter extends DefaultFailureConverter {
  override errorToFailure(...converting: Converting) {
    const failure = super.errorToFailure(...converting);
    const { message, stackTrace, applicationFailureInfo: application } = failure;
    return {
      ...failure,
      message: message?.toWellFormed() ?? null,
      stackTrace: stackTrace?.toWellFormed() ?? null,
      ...(application && {
        applicationFailureInfo: { ...application, type: application.type?.toWellFormed() ?? null },
      }),
    };
  }
}

/** Temporal's SDK finds it by this name. */
export const failureConverter = new WellFormedFailureConverter();
