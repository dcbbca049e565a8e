import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { durationMs } from '../duration.ts';
import { callbackUrl } from '../endings/callback.ts';
import { type ForgeKind, forgeKind } from '../forges/forge.ts';
import { credentialName } from '../forges/forge-settings.ts';
import { nextCursor, pageLimit } from '../paging.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';
import { inputName, inputsOf, inputValue, ref } from './build.ts';

/** The configuration that comes from GITHUB_REPO and GITHUB_WORKFLOW. No other configuration may have its name. */
export const ENVIRONMENT_CONFIGURATION = { id: 1, name: 'default' } as const;

/** Fields that a request has as members of their own. All others are in `inputs` and declared in a mapping. */
export const FIXED_FIELDS = ['image_type', 'fedora_version'] as const;

/** Limits of a deadline: GitHub ends a run after 35 days (docs.github.com, "Actions limits"). */
const DEADLINE_MS = { minimum: 1_000, maximum: 35 * 86_400_000 } as const;

/** The behaviour of a build if earlier builds of its repository, workflow and ref have not ended. */
export const concurrency = z.enum(['allow', 'queue', 'cancel_previous']).meta({ id: 'Concurrency' });
export type Concurrency = z.infer<typeof concurrency>;

/**
 * The sender of a build's first dispatch. `queue`: its workflow, when its turn comes. `direct`: the request that triggers it. `shadow`:
 * another program, and Hapax sends nothing.
 */
export const dispatchMode = z.enum(['queue', 'direct', 'shadow']).meta({ id: 'DispatchMode' });
export type DispatchMode = z.infer<typeof dispatchMode>;

/** How requests for builds become dispatches of one workflow. No field is left to a default. */
export interface ConfigurationDefinition {
  forge: ForgeKind;
  /** Root of the forge's REST API; null: the one that the credential is for. */
  api_url: string | null;
  /** Name of a credential in FORGE_CREDENTIALS; null: the credential of the GITHUB_ settings. */
  credential: string | null;
  /** OWNER/NAME. */
  repository: string;
  /** File name below .github/workflows, or the workflow's number at GitHub. */
  workflow: string;
  default_ref: string;
  /** Inputs that a dispatch carries unless the request says otherwise. */
  inputs: Record<string, string>;
  /** Inputs that every dispatch carries. A request cannot change them. */
  constants: Record<string, string>;
  /** Inputs composed from fields of the request and `ref`, written `{{field}}`. A request cannot set them directly. */
  templates: Record<string, string>;
  /** Inputs that carry a YAML document. Hapax sends them in a safe form. */
  yaml: string[];
  /** Field of the request -> name of the workflow input, or null for none. */
  mapping: Record<string, string | null>;
  /** Longest time a run may take, such as `2h`; null: BUILD_DEADLINE. */
  deadline: string | null;
  /** The behaviour of a build towards earlier ones of its repository, workflow and ref. */
  concurrency: Concurrency;
  /** The URL to notify when a build ends, if its trigger names none; null: none. */
  callback_url: string | null;
  /** Null: as QUEUE_ENABLED says. */
  dispatch: DispatchMode | null;
}

/** One version of a build configuration. Every change makes a new version; a build keeps the version it started with. */
export interface BuildConfiguration {
  id: number;
  version: number;
  name: string;
  definition: ConfigurationDefinition;
  /** Triggers are refused; the history is kept. */
  retired: boolean;
  /** Name of the API key; `local` if the API needs no key; `environment` for configuration 1. */
  changed_by: string;
  /** When this version was made. */
  created_at: string;
}

const configurationName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'must be 1 to 100 letters, digits, dots, underscores or hyphens, the first a letter or digit',
  );

/**
 * A repository. Names made only of dots would climb out of the path of GitHub's URLs. A name that ends in `.git` is the address of a clone.
 * Owners of Enterprise Managed Users have an underscore.
 */
export const repository = z
  .string()
  .regex(
    /^[A-Za-z0-9_-]{1,39}\/(?!\.{1,2}$)(?!.*\.git$)[A-Za-z0-9._-]{1,100}$/,
    'must be OWNER/NAME, for example octocat/hello-world',
  );
/**
 * A workflow as people name it: its file, with or without the folder, or its number at GitHub. Names may contain everything but slashes,
 * backslashes and control characters. The pattern spells these out because readers of the API's description do not know `\p{Cc}`.
 */
export const workflowFile = text(255).regex(
  /^(?:(?:\.github\/workflows\/)?[ -.0-[\]-~\u00a0-\uffff]+\.ya?ml|[1-9]\d{0,15})$/,
  'must be the file name of a workflow, for example build.yml, or its number at GitHub',
);

const deadline = z
  .string()
  .max(20)
  .refine((value) => {
    const ms = durationMs(value) ?? 0;
    return ms >= DEADLINE_MS.minimum && ms <= DEADLINE_MS.maximum;
  }, 'must be a duration from 1s to 35d, for example 90m or 3h');

const definitionFields = {
  forge: forgeKind.optional().meta({
    description: 'What the repository is on. gitea and forgejo need a `credential`. Default: github.',
  }),
  api_url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullable()
    .optional()
    .meta({
      description:
        "Root of the forge's REST API. It must be the one that the credential is for, which is the default; GITHUB_API_URL without a credential.",
      example: 'https://git.example.com/api/v1',
    }),
  credential: credentialName.nullable().optional().meta({
    description: 'Name of a credential in FORGE_CREDENTIALS. Default: the GitHub credential of the settings.',
    example: 'work',
  }),
  repository: repository.meta({ description: 'OWNER/NAME.', example: 'octocat/fedora-images' }),
  workflow: workflowFile.meta({
    description: 'File name below .github/workflows, or the id of the workflow at GitHub.',
    example: 'build.yml',
  }),
  default_ref: ref.optional().meta({ description: 'Ref for requests that name none. Default: main.' }),
  inputs: inputsOf(inputValue)
    .optional()
    .meta({ description: 'Default inputs. A field of the request replaces them.' }),
  constants: inputsOf(inputValue)
    .optional()
    .meta({ description: 'Inputs that are always sent. A request that sets one is refused.' }),
  templates: inputsOf(text(LIMITS.builds.inputsJsonCharacters))
    .optional()
    .meta({
      description:
        'Inputs composed from fields of the request and `ref`. Write a field as `{{name}}`. It must be image_type, fedora_version, ref or a field in `mapping`.',
      example: { image: 'fedora-{{fedora_version}}-{{image_type}}' },
    }),
  yaml: z
    .array(inputName)
    .max(LIMITS.builds.inputs)
    .optional()
    .meta({
      description:
        'Inputs that carry a YAML document. Hapax checks it and sends it as JSON on one line, which cannot break out of a here-document or of quotes in a shell.',
      example: ['manifest'],
    }),
  mapping: z
    .record(
      inputName.refine((name) => name !== 'ref', 'is always there for templates and cannot be mapped'),
      inputName.nullable(),
    )
    .refine(
      (mapping) => Object.keys(mapping).length <= LIMITS.configurations.mappedFields,
      `has more than ${LIMITS.configurations.mappedFields} entries`,
    )
    .optional()
    .meta({
      description:
        'Which workflow input gets a field of the request, or null for none. Fields are image_type, fedora_version and the names in `inputs` of the request. A field that is not listed goes to the input of the same name.',
      example: { fedora_version: 'distro_version', image_type: null },
    }),
  deadline: deadline.nullable().optional().meta({
    description: 'Longest time a run may take; then Hapax cancels it. Default: BUILD_DEADLINE.',
    example: '2h',
  }),
  concurrency: concurrency.optional().meta({
    description:
      'What a build does if earlier builds of the same repository, workflow and ref have not ended. allow: run at the same time. queue: wait for them. cancel_previous: cancel them, then run. Default: allow.',
  }),
  callback_url: callbackUrl.nullable().optional().meta({
    description: 'Receives a BuildCallback when a build ends, if its trigger named no callback_url.',
    example: 'https://ci.example.com/hooks/hapax',
  }),
  dispatch: dispatchMode.nullable().optional().meta({
    description:
      'queue: the build waits for its turn, and its workflow sends the dispatch. direct: the request that triggers the build sends it, also while Temporal is away; concurrency must be allow. shadow: another program sends it, and Hapax only looks for its run; concurrency must be allow. Default: as QUEUE_ENABLED says.',
  }),
};

/** Body of PUT /configs/by-name/{name}. */
export const configurationContent = z.strictObject(definitionFields).meta({ id: 'BuildConfigurationContent' });
export type ConfigurationContent = z.infer<typeof configurationContent>;

/** Body of POST /configs and PUT /configs/{id}. */
export const configurationBody = z
  .strictObject({ name: configurationName, ...definitionFields })
  .meta({ id: 'BuildConfigurationBody' });

const strings = z.record(z.string(), z.string());

/** One version of a configuration as the API shows it. */
export const configurationView = z
  .object({
    id: z.int(),
    version: z.int().meta({ description: 'From 1, without gaps.' }),
    name: z.string(),
    forge: forgeKind,
    api_url: z.string().nullable(),
    credential: z.string().nullable(),
    repository: z.string(),
    workflow: z.string(),
    default_ref: z.string(),
    inputs: strings,
    constants: strings,
    templates: strings,
    yaml: z.array(z.string()),
    mapping: z.record(z.string(), z.string().nullable()),
    deadline: z.string().nullable(),
    concurrency,
    callback_url: z.string().nullable(),
    dispatch: dispatchMode.nullable(),
    retired: z.boolean().meta({ description: 'If true, triggers are refused.' }),
    changed_by: z.string().meta({
      description: 'Name of the API key; local if the API needs no key; environment for configuration 1.',
    }),
    created_at: timestamp.meta({ description: 'When this version was made.' }),
  })
  .meta({ id: 'BuildConfiguration' });
export type ConfigurationView = z.infer<typeof configurationView>;

export const configurationPage = z
  .object({ configs: z.array(configurationView), next_cursor: nextCursor })
  .meta({ id: 'BuildConfigurationPage' });

export const configurationVersions = z
  .object({ versions: z.array(configurationView), next_cursor: nextCursor })
  .meta({ id: 'BuildConfigurationVersions' });

const number = z
  .string()
  .regex(/^[1-9]\d{0,9}$/, 'must be a whole number from 1')
  .transform(Number)
  .pipe(z.int().min(1).max(2_147_483_647));

/** Query of the pages of configurations and of versions. A cursor is the id or version that ended the page before. */
export const configurationPageQuery = z.strictObject({
  limit: pageLimit,
  cursor: number.optional(),
});

export const configurationListQuery = z.strictObject({
  ...configurationPageQuery.shape,
  name: configurationName.optional().meta({ description: 'Only the configuration of this name.' }),
});

export const configurationIdParam = z.strictObject({
  id: number.meta({ description: 'Id of the build configuration.', example: 2 }),
});

export const configurationNameParam = z.strictObject({
  name: configurationName.meta({ description: 'Name of the build configuration.', example: 'fedora' }),
});
