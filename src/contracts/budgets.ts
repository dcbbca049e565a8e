/** The limit of an input in one respect. */
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
    | 'days'
    | 'year';
  /** One line: what is limited, and what happens beyond the limit unless the input is simply refused. */
  meaning: string;
}

const most = (value: number, unit: Budget['unit'], meaning: string): Budget => ({ value, unit, meaning });

/**
 * Every size, depth, count and time that an input can cause, at each entry point. Hapax refuses an input beyond a budget before it does any
 * work; the message names the budget. `node scripts/generate-docs.ts` writes docs/limits.md from this table.
 *
 * Code reads the numbers from {@link LIMITS}. What an operator sets (time limits of tasks, deadlines) is in settings.ts.
 */
export const BUDGETS = {
  requests: {
    bodyBytes: most(1_048_576, 'bytes', 'Body of a request, to Hapax and to the Flower API.'),
    headBytes: most(16_384, 'bytes', 'URL and headers of a request.'),
    headSeconds: most(60, 'seconds', 'To receive the headers of a request.'),
    requestSeconds: most(300, 'seconds', 'To receive a request with its body.'),
    faults: most(20, 'entries', 'Faults listed in the response to one request. More are not listed.'),
    faultCharacters: most(300, 'characters', 'Path or message of such a fault. The rest is cut off.'),
    idempotencyKeyCharacters: most(255, 'characters', 'The header `Idempotency-Key`.'),
    cursorCharacters: most(4_000, 'characters', 'The `cursor` of a list.'),
    pageEntries: most(200, 'entries', 'Entries on one page of a list.'),
    payloads: most(1_000, 'entries', 'Payloads of Temporal that are decrypted in one request.'),
    listCharacters: most(2_000, 'characters', 'A query parameter with several words, such as `types`.'),
  },
  lists: {
    textCharacters: most(200, 'characters', '`q` of a list.'),
    textEntries: most(
      10_000,
      'entries',
      'Builds or tasks that one page looks through for the text `q`. The page ends there, and the next one goes on.',
    ),
    countedEntries: most(
      10_000,
      'entries',
      'Builds or tasks that `count=true` counts. If there are more, the count is not exact.',
    ),
    operatedAtOnce: most(
      1_000,
      'entries',
      'Builds or tasks that one request cancels, retries or erases, the newest ones that match. Repeat it for the rest.',
    ),
    erasedTextCharacters: most(
      500,
      'characters',
      'The `text` whose data a request erases. It can be no longer, because content is searched in chunks.',
    ),
  },
  history: {
    days: most(30, 'days', 'Time that one request of `GET /queues/history` covers. Samples are kept as long.'),
    buckets: most(1_500, 'entries', 'Buckets of a queue in one response.'),
    quotaDays: most(366, 'days', '`days` of `GET /quota`.'),
  },
  streams: {
    open: most(
      1_000,
      'requests',
      'Event streams and requests with `wait` that one process serves at the same time. Further ones get 503.',
    ),
    stalledSeconds: most(
      30,
      'seconds',
      'For a client to take what was sent to it. After that, the stream is cut off; the client resumes with `Last-Event-ID`.',
    ),
    waitSeconds: most(60, 'seconds', '`wait` of a build or a task.'),
    batchCharacters: most(65_536, 'characters', 'JSON of the events that a stream sends at once, if they are several.'),
    pageCharacters: most(
      4_194_304,
      'characters',
      'Data of the events on a page of `GET /events`. The page ends before the event that exceeds it.',
    ),
    pagePositions: most(
      10_000,
      'entries',
      'Positions of the log that one page of `GET /events` looks through for events that match. The next page goes on.',
    ),
    recentEvents: most(
      1_000,
      'entries',
      'Newest events that a process keeps in memory while anybody listens to `GET /events`.',
    ),
    recentCharacters: most(
      4_194_304,
      'characters',
      'JSON of these events. If it is more, older ones are read from the database.',
    ),
  },
  json: {
    depth: most(100, 'levels', 'Nesting of JSON in the body of a request or a message.'),
  },
  times: {
    characters: most(40, 'characters', 'A time, as text.'),
    firstYear: most(1, 'year', 'Earliest year of a time, in UTC. Postgres and Python have no year 0.'),
    lastYear: most(
      9_999,
      'year',
      'Latest year of a time, in UTC. ISO 8601 has no form for later years that every program reads.',
    ),
    offsetHours: most(15, 'hours', 'Hours in the UTC offset of a time, as in Postgres.'),
  },
  builds: {
    refCharacters: most(255, 'characters', 'Branch or tag; the limit of GitHub.'),
    inputs: most(25, 'entries', 'Inputs of a dispatch, including the correlation input; the limit of GitHub.'),
    inputsJsonCharacters: most(65_535, 'characters', 'JSON of all inputs of a dispatch; the limit of GitHub.'),
    fieldCharacters: most(255, 'characters', '`image_type` and `fedora_version`.'),
    comparedBuilds: most(
      1_000,
      'entries',
      'Builds of a repository that one comparison of shadow builds reads, the newest ones.',
    ),
  },
  configurations: {
    nameCharacters: most(100, 'characters', 'Name of a build configuration.'),
    mappedFields: most(50, 'entries', 'Fields in the `mapping` of a build configuration.'),
    yamlCharacters: most(65_535, 'characters', 'All YAML documents of a request or a configuration together.'),
    yamlLexemes: most(
      30_000,
      'entries',
      'Keys, values, punctuation and escapes in all these documents. The time to read them grows with this number.',
    ),
    yamlAliases: most(100, 'entries', 'Aliases in a YAML document. A few lines of them can expand to gigabytes.'),
  },
  tasks: {
    argumentsCharacters: most(1_000_000, 'characters', 'JSON of `args` and `kwargs`.'),
    resultCharacters: most(
      1_000_000,
      'characters',
      'JSON of a result. It passes through Temporal, which refuses 2 MB. A longer result fails the task, without a retry.',
    ),
    resultBytes: most(1_900_000, 'bytes', 'The same in UTF-8.'),
    progressCharacters: most(
      100_000,
      'characters',
      'JSON of the progress that a task reports. Longer progress fails the task, without a retry.',
    ),
    errorCharacters: most(4_000, 'characters', 'Recorded message of an error. The rest is cut off.'),
    tracebackCharacters: most(4_000, 'characters', 'Recorded traceback. Only the end is kept.'),
    nameCharacters: most(255, 'characters', 'Name of a task.'),
    queueCharacters: most(200, 'characters', 'Name of a queue of tasks.'),
    idBytes: most(255, 'bytes', 'Task id, in UTF-8. AMQP allows no longer ids, so Celery has the same limit.'),
    limitSeconds: most(86_400, 'seconds', '`soft_time_limit` and `time_limit` of a task.'),
    expiresSeconds: most(10 * 365 * 86_400, 'seconds', '`expires` as a number, and `countdown`.'),
  },
  taskTypes: {
    perRegistration: most(1_000, 'entries', 'Task types, and queues, that one worker registers.'),
    characters: most(65_536, 'characters', 'JSON of all that is registered of a task type.'),
    parameters: most(100, 'entries', 'Parameters of a task type.'),
    parameterCharacters: most(255, 'characters', 'Name of a parameter.'),
    defaultCharacters: most(1_000, 'characters', 'Default of a parameter, as it is written.'),
    docCharacters: most(500, 'characters', 'What a task type does, in one line.'),
    retries: most(10_000, 'entries', 'Retries of a task type.'),
    steps: most(1_000, 'entries', 'Steps of a task in TypeScript.'),
    stepNameCharacters: most(255, 'characters', 'Name of a step.'),
    stepCharacters: most(100_000, 'characters', 'JSON of the result of a step. A longer one fails the task.'),
    modules: most(1_000, 'entries', 'Modules in the folder of HAPAX_TASKS.'),
  },
  schedules: {
    schedules: most(500, 'entries', 'Schedules. A deleted one does not count.'),
    nameCharacters: most(100, 'characters', 'Name of a schedule.'),
    times: most(20, 'entries', 'Entries in each of `cron`, `intervals`, `calendars` and `except` of a schedule.'),
    cronCharacters: most(200, 'characters', 'A cron expression, or a field of a calendar.'),
    shortestSeconds: most(
      2,
      'seconds',
      'Shortest time between two firings of one cron, interval or calendar (a minimum).',
    ),
    longestSeconds: most(10 * 365 * 86_400, 'seconds', 'Longest interval.'),
    jitterSeconds: most(86_400, 'seconds', '`jitter_seconds`.'),
    catchUpShortestSeconds: most(10, 'seconds', 'Smallest `catch_up_seconds` (a minimum); the one of Temporal.'),
    catchUpLongestSeconds: most(30 * 86_400, 'seconds', 'Largest `catch_up_seconds`.'),
    noteCharacters: most(500, 'characters', 'A note on a schedule.'),
    zoneCharacters: most(64, 'characters', 'Name of a time zone.'),
    patternCharacters: most(100, 'characters', 'Pattern of configuration names.'),
    configurations: most(
      200,
      'entries',
      'Build configurations that one firing triggers. If more match, the others are recorded as refused.',
    ),
    dueTimes: most(
      200,
      'entries',
      'Times of a schedule that one comparison with the record covers. Later ones wait for the next comparison.',
    ),
    missedTimes: most(100, 'entries', 'Missed times in one event.'),
    beatEntries: most(500, 'entries', 'Entries of a `beat_schedule` that is imported.'),
  },
  flower: {
    storedBytes: most(
      2_000,
      'bytes',
      'Arguments or result of a task in `GET /api/tasks`, compressed as Postgres stores them. Larger ones are shown as `...`.',
    ),
    listedCharacters: most(4_096, 'characters', 'The same as JSON, not compressed. Longer ones are shown as `...`.'),
    offsetTasks: most(2_147_483_647, 'tasks', '`offset` of `GET /api/tasks`. A larger value is treated as this one.'),
    waitSeconds: most(86_400, 'seconds', 'To wait for a task to end. After that, the response has its current state.'),
    listTasks: most(10_000, 'tasks', 'Tasks in `GET /api/tasks`, even if the request sets no limit.'),
    searchCharacters: most(2_048, 'characters', '`search` of a list; the limit of Flower.'),
    searchTokens: most(128, 'entries', 'Words and parentheses in a search; the limit of Flower.'),
    searchDepth: most(5, 'levels', 'Nested parentheses in a search; the limit of Flower.'),
    reprCharacters: most(1_024, 'characters', "A value in a task's info. A longer one is cut off, as in Celery."),
  },
  messages: {
    bodyBytes: most(1_048_576, 'bytes', 'Body of a message, both as sent and decompressed.'),
    shortBytes: most(255, 'bytes', 'Ids, queues, exchanges and routing keys in a message; the limit of AMQP.'),
    followUps: most(
      10_000,
      'tasks',
      'Further tasks that one message can lead to. In a group, each member counts with the rest of its chain.',
    ),
    followUpsCharacters: most(
      67_108_864,
      'characters',
      'JSON of all these tasks. Checked again with the result when the task has ended; if it is exceeded then, none of them is published.',
    ),
    deadMessages: most(
      10_000,
      'entries',
      'Refused messages in GET /dlq. Older ones are removed from this list and stay in RabbitMQ.',
    ),
    deadMessagesCharacters: most(
      268_435_456,
      'characters',
      'Base64 of the bodies of all these messages. If it is more, older ones are removed from the list.',
    ),
    headersCharacters: most(
      16_384,
      'characters',
      'JSON of the headers and stamps that a task passes on to the next one.',
    ),
    countdownSeconds: most(2_147_483_647, 'seconds', '`countdown` and `expires` of later tasks; the limit of Celery.'),
    revokedIds: most(1_000, 'entries', 'Ids in one `revoke` or `terminate` of `app.control`.'),
    reprCharacters: most(1_000, 'characters', '`argsrepr` and `kwargsrepr` of later tasks. Longer ones are cut off.'),
  },
  content: {
    queryCharacters: most(10_000, 'characters', 'Query of a search.'),
    results: most(100, 'entries', 'Results of a search.'),
    tags: most(50, 'entries', 'Tags of content. More tags from a source are dropped.'),
    tagCharacters: most(100, 'characters', 'One tag.'),
    urlCharacters: most(2_048, 'characters', 'URL of a video, a page or a callback.'),
    titleCharacters: most(500, 'characters', 'Title of content. A longer title from a source is cut off.'),
    authorCharacters: most(500, 'characters', 'Author of content. The rest is cut off.'),
    languageCharacters: most(35, 'characters', 'Language of content. The rest is cut off.'),
    transcriptCharacters: most(1_000_000, 'characters', '`transcript_text`.'),
  },
  artifacts: {
    entries: most(50, 'entries', 'Artifacts recorded for a run. More are counted only.'),
    nameCharacters: most(255, 'characters', 'Name of an artifact. The rest is cut off.'),
    attested: most(20, 'requests', 'Artifacts of a run whose attestations Hapax reads.'),
    attestations: most(5, 'entries', 'Attestations recorded for an artifact.'),
    bundleBytes: most(262_144, 'bytes', 'JSON of the bundle of an attestation. A larger one is not verified.'),
    triedHours: most(24, 'hours', 'Time after the end of a run in which Hapax asks the forge for its artifacts again.'),
  },
  failures: {
    jobPages: most(3, 'requests', 'Pages of 100 jobs that Hapax reads of a failed run.'),
    jobs: most(10, 'entries', 'Failed jobs recorded for a run.'),
    annotatedJobs: most(5, 'requests', 'Failed jobs whose annotations Hapax reads.'),
    steps: most(10, 'entries', 'Failed steps recorded for a job.'),
    annotations: most(10, 'entries', 'Annotations recorded for a job, failures before warnings.'),
    textCharacters: most(500, 'characters', 'A name, URL or message in these. A longer one is cut off.'),
    recordBytes: most(
      8_192,
      'bytes',
      'JSON of all failed jobs of a run. If it is larger, annotations are dropped first, then steps.',
    ),
  },
  pages: {
    bodyBytes: most(5_242_880, 'bytes', 'A page, both as received and after each decompression.'),
    codings: most(5, 'entries', 'Nested compressions (`Content-Encoding`).'),
    headerBytes: most(262_144, 'bytes', 'Headers of a page; the limit of Chromium.'),
    cookieBytes: most(8_192, 'bytes', 'Cookies for one request. If they are longer, the request is sent without them.'),
    redirects: most(20, 'requests', 'Redirects of a page; the limit of browsers. A loop is refused at once.'),
    fetchMilliseconds: most(
      30_000,
      'milliseconds',
      'To fetch a page, including redirects. After that, the attempt fails and is retried.',
    ),
    retryAfterMilliseconds: most(
      3_600_000,
      'milliseconds',
      'Pause that a page may ask for with `Retry-After`. If it asks for a longer one, the task is retried after this time.',
    ),
    articleMilliseconds: most(20_000, 'milliseconds', 'To find the article on a page. After that, the task fails.'),
    articleBytes: most(
      512 * 1_048_576,
      'bytes',
      'Memory to find the article on a page. If it is not enough, the task fails.',
    ),
    elements: most(
      100_000,
      'elements',
      'Elements of a page in which an article is searched for. If there are more, all text is kept.',
    ),
    depth: most(
      256,
      'levels',
      'Nesting of elements. Deeper ones are read as text, because the time grows fast with the depth.',
    ),
  },
  captions: {
    bodyBytes: most(10_485_760, 'bytes', 'One response from YouTube: the page, the player data, or captions.'),
    answerMilliseconds: most(
      15_000,
      'milliseconds',
      'To wait for one response from YouTube. After that, the attempt fails and is retried.',
    ),
  },
  callbacks: {
    bodyBytes: most(
      20 * 1024,
      'bytes',
      'Body of a callback; the recommendation of Standard Webhooks. A larger one is sent without inputs or result.',
    ),
    targets: most(20, 'entries', 'Callback URLs of one build or task.'),
    answerBytes: most(
      4_096,
      'bytes',
      'Part of the response to a callback that Hapax reads. It is enough to recognise n8n.',
    ),
  },
  subscriptions: {
    count: most(100, 'entries', 'Subscriptions of one installation that are not deleted.'),
    filterEntries: most(50, 'entries', 'A list in the filter of a subscription.'),
    headers: most(10, 'entries', 'Headers that a subscription adds.'),
    headerCharacters: most(2_000, 'characters', 'Value of such a header.'),
    nameCharacters: most(100, 'characters', 'Name of a subscription, and a name in its filter.'),
    bodyBytes: most(65_536, 'bytes', 'Body of an event. A larger one is sent without `event_data`.'),
    atOnce: most(8, 'requests', 'Requests to the receiver of one subscription at the same time.'),
    pendingEvents: most(
      32,
      'entries',
      'Events of one subscription that failed and are tried again. With more, further events wait.',
    ),
  },
  keys: {
    count: most(1_000, 'entries', 'Keys of one installation that are not revoked.'),
    nameCharacters: most(100, 'characters', 'Name of a key, and a queue that it is restricted to.'),
    restrictions: most(100, 'entries', 'Repositories or queues that a key is restricted to.'),
    perMinute: most(1_000_000, 'requests', '`requests_per_minute` of a key.'),
    inFlight: most(100_000, 'entries', '`builds_in_flight` and `tasks_in_flight` of a key.'),
    rules: most(100, 'entries', 'Rules of `OIDC_RULES`.'),
    wrongPerMinute: most(
      30,
      'requests',
      'Wrong keys from one address in a minute. Further ones get 429. A right key is always accepted.',
    ),
    staleSeconds: most(
      60,
      'seconds',
      'Time that a process accepts created keys while the database does not answer. Then it refuses them with 503, except for `/metrics`.',
    ),
  },
  memory: {
    heads: most(
      1_000,
      'entries',
      'Builds and tasks whose latest state a process keeps in memory, to append the next event without a read.',
    ),
    headCharacters: most(16_384, 'characters', 'JSON of such a state. A larger one is not kept.'),
  },
} as const satisfies Record<string, Record<string, Budget>>;

type Limits = { readonly [Door in keyof typeof BUDGETS]: { readonly [Name in keyof (typeof BUDGETS)[Door]]: number } };

/** The value of each budget: `LIMITS.requests.bodyBytes`. */
export const LIMITS = Object.fromEntries(
  Object.entries(BUDGETS).map(([door, budgets]) => [
    door,
    Object.fromEntries(Object.entries(budgets).map(([name, { value }]: [string, Budget]) => [name, value])),
  ]),
) as Limits;
