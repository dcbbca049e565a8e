/** The most that one input may cost in one respect. */
export interface Budget {
  value: number;
  unit:
    | 'bytes'
    | 'characters'
    | 'levels'
    | 'entries'
    | 'elements'
    | 'requests'
    | 'tasks'
    | 'seconds'
    | 'milliseconds'
    | 'hours'
    | 'year';
  /** One line: what is bounded, and what happens beyond it where that is no plain refusal. */
  meaning: string;
}

const most = (value: number, unit: Budget['unit'], meaning: string): Budget => ({ value, unit, meaning });

/**
 * Every size, depth, count and time that an input can cause, at each door. An input beyond a budget is refused before the
 * work, by a message that names the budget. docs/limits.md is written from this table: `node scripts/generate-docs.ts`.
 *
 * Code reads the numbers from {@link LIMITS}. What an operator sets (time limits of tasks, deadlines) is in settings.ts.
 */
export const BUDGETS = {
  requests: {
    bodyBytes: most(1_048_576, 'bytes', 'Body of a request, at our routes and at those of Flower.'),
    headBytes: most(16_384, 'bytes', 'URL and headers of a request.'),
    headSeconds: most(60, 'seconds', 'Until the headers of a request have come.'),
    requestSeconds: most(300, 'seconds', 'Until a request has come, with its body.'),
    faults: most(20, 'entries', 'Faults that the answer to one request lists. Further ones are not named.'),
    faultCharacters: most(300, 'characters', 'Path or message of such a fault. The rest is cut off.'),
    idempotencyKeyCharacters: most(255, 'characters', 'Header `Idempotency-Key`.'),
    cursorCharacters: most(4_000, 'characters', '`cursor` of a list.'),
    pageEntries: most(200, 'entries', 'One page of a list.'),
  },
  json: {
    depth: most(100, 'levels', 'Nesting of a body, of a request and of a message alike.'),
  },
  times: {
    characters: most(40, 'characters', 'A time as text.'),
    firstYear: most(1, 'year', 'Least year of a time in UTC: Postgres and Python know no year 0.'),
    lastYear: most(9_999, 'year', 'Last year of a time in UTC: later ones have no form in ISO 8601 that all read.'),
    offsetHours: most(15, 'hours', 'Whole hours of the offset of a time, as in Postgres.'),
  },
  builds: {
    refCharacters: most(255, 'characters', 'Branch or tag, as at GitHub.'),
    inputs: most(25, 'entries', 'Inputs of a dispatch with the correlation input, as at GitHub.'),
    inputsJsonCharacters: most(65_535, 'characters', 'JSON of all inputs of a dispatch, as at GitHub.'),
    fieldCharacters: most(255, 'characters', '`image_type` and `fedora_version`.'),
  },
  configurations: {
    nameCharacters: most(100, 'characters', 'Name of a build configuration.'),
    mappedFields: most(50, 'entries', 'Fields that a build configuration maps.'),
    yamlCharacters: most(65_535, 'characters', 'All YAML documents of a request or a configuration together.'),
    yamlLexemes: most(
      30_000,
      'entries',
      'Keys, values, marks and escapes in all these documents: reading costs time by them.',
    ),
    yamlAliases: most(100, 'entries', 'Aliases in a YAML document: a few lines of them can unfold into gigabytes.'),
  },
  tasks: {
    argumentsCharacters: most(1_000_000, 'characters', 'JSON of `args` and `kwargs`.'),
    resultCharacters: most(
      1_000_000,
      'characters',
      'JSON of a result: it travels through Temporal, which refuses 2 MB. A longer one fails the attempt.',
    ),
    errorCharacters: most(4_000, 'characters', 'Message of an error that is recorded. The rest is cut off.'),
    tracebackCharacters: most(4_000, 'characters', 'Traceback that is recorded. The end is kept.'),
    nameCharacters: most(255, 'characters', 'Name of a task.'),
    idBytes: most(255, 'bytes', "Task id, as UTF-8: a short string of AMQP, as Celery's own."),
    limitSeconds: most(86_400, 'seconds', "Time limits of a task's own."),
    expiresSeconds: most(10 * 365 * 86_400, 'seconds', '`expires` as a number, and `countdown`.'),
  },
  flower: {
    storedBytes: most(
      2_000,
      'bytes',
      'Arguments and result of a task in `GET /api/tasks`, as stored. Larger ones show as `...`.',
    ),
    listedCharacters: most(4_096, 'characters', 'The same as JSON.'),
    offsetTasks: most(2_147_483_647, 'tasks', '`offset` of `GET /api/tasks`. A larger one counts as this.'),
    waitSeconds: most(86_400, 'seconds', 'Waiting for the end of a task. Then the answer is its state.'),
    listTasks: most(10_000, 'tasks', '`GET /api/tasks`; also where no limit is asked for.'),
    searchCharacters: most(2_048, 'characters', '`search` of a list, as in Flower.'),
    searchTokens: most(128, 'entries', 'Words and parentheses of a search, as in Flower.'),
    searchDepth: most(5, 'levels', 'Parentheses of a search, as in Flower.'),
    reprCharacters: most(1_024, 'characters', "A value in a task's info. A longer one is cut, as by Celery."),
  },
  messages: {
    bodyBytes: most(1_048_576, 'bytes', 'Body of a message, as sent and as decompressed.'),
    shortBytes: most(255, 'bytes', 'Ids, queues, exchanges and routing keys in a message: short strings of AMQP.'),
    followUps: most(
      10_000,
      'tasks',
      'All tasks that one message can bring about after its own, each step that a member of a group goes on with counted.',
    ),
    followUpsCharacters: most(
      67_108_864,
      'characters',
      'JSON of all these tasks. Counted again with the result when the task has ended; beyond it none of them is published.',
    ),
    deadMessages: most(
      10_000,
      'entries',
      'Refused messages that GET /dlq knows. The oldest are forgotten, and stay in RabbitMQ.',
    ),
    deadMessagesCharacters: most(268_435_456, 'characters', 'Base64 of the bodies of these messages.'),
    headersCharacters: most(
      16_384,
      'characters',
      'JSON of the headers and stamps that a task brings for one that follows it.',
    ),
    countdownSeconds: most(2_147_483_647, 'seconds', '`countdown` and `expires` of tasks that follow, as in Celery.'),
    revokedIds: most(1_000, 'entries', 'Ids that one `revoke` or `terminate` of `app.control` names.'),
    reprCharacters: most(1_000, 'characters', '`argsrepr` and `kwargsrepr` of tasks that follow. Longer ones are cut.'),
  },
  content: {
    queryCharacters: most(10_000, 'characters', 'Query of a search.'),
    results: most(100, 'entries', 'Results of a search.'),
    tags: most(50, 'entries', 'Tags of content. Further ones of a source are dropped.'),
    tagCharacters: most(100, 'characters', 'One tag.'),
    urlCharacters: most(2_048, 'characters', 'URL of a video, a page or a callback.'),
    titleCharacters: most(500, 'characters', 'Title of content. A longer one of a source is cut.'),
    transcriptCharacters: most(1_000_000, 'characters', '`transcript_text`.'),
  },
  failures: {
    jobPages: most(3, 'requests', 'Pages of 100 jobs that are read of a run that ended badly.'),
    jobs: most(10, 'entries', 'Failed jobs that are recorded of a run.'),
    annotatedJobs: most(5, 'requests', 'Failed jobs whose annotations are read.'),
    steps: most(10, 'entries', 'Failed steps that are recorded of a job.'),
    annotations: most(10, 'entries', 'Annotations that are recorded of a job; failures go before warnings.'),
    textCharacters: most(500, 'characters', 'A name, an address or a message among these. A longer one is cut.'),
    recordBytes: most(8_192, 'bytes', 'JSON of all failed jobs of a run. Annotations are left out first, then steps.'),
  },
  pages: {
    bodyBytes: most(5_242_880, 'bytes', 'A page, as it comes and after each unpacking.'),
    codings: most(5, 'entries', 'Packings on top of each other (`Content-Encoding`).'),
    headerBytes: most(262_144, 'bytes', 'Headers of a page, as in Chromium.'),
    cookieBytes: most(
      8_192,
      'bytes',
      'Cookies for one request. Without longer ones the page is asked for all the same.',
    ),
    redirects: most(20, 'requests', 'Redirects of a page, as in browsers; a circle is refused at once.'),
    fetchMilliseconds: most(30_000, 'milliseconds', 'To fetch a page, redirects included.'),
    articleMilliseconds: most(20_000, 'milliseconds', 'To find the article on a page.'),
    articleBytes: most(512 * 1_048_576, 'bytes', 'Memory to find the article on a page.'),
    elements: most(
      100_000,
      'elements',
      'Elements in which an article is looked for. Of a larger page all text is kept.',
    ),
    depth: most(256, 'levels', 'Nesting of elements. Deeper ones are read as text: time grows fast with the depth.'),
  },
  captions: {
    bodyBytes: most(10_485_760, 'bytes', 'One answer of YouTube: its page, its player, a document of captions.'),
    answerMilliseconds: most(15_000, 'milliseconds', 'To wait for one answer of YouTube.'),
  },
  callbacks: {
    bodyBytes: most(
      20 * 1024,
      'bytes',
      'Body of a callback, as Standard Webhooks asks. A longer one goes without inputs or result.',
    ),
    targets: most(20, 'entries', 'Callback URLs of one build or task.'),
    answerBytes: most(4_096, 'bytes', 'Part of the answer to a callback that is read: enough to recognise n8n.'),
  },
  memory: {
    heads: most(
      1_000,
      'entries',
      'Builds and tasks whose last state a process keeps, so that their next event needs no reading.',
    ),
    headCharacters: most(16_384, 'characters', 'JSON of a state that is kept so.'),
  },
} as const satisfies Record<string, Record<string, Budget>>;

type Limits = { readonly [Door in keyof typeof BUDGETS]: { readonly [Name in keyof (typeof BUDGETS)[Door]]: number } };

/** The number of each budget: `LIMITS.requests.bodyBytes`. */
export const LIMITS = Object.fromEntries(
  Object.entries(BUDGETS).map(([door, budgets]) => [
    door,
    Object.fromEntries(Object.entries(budgets).map(([name, { value }]: [string, Budget]) => [name, value])),
  ]),
) as Limits;
