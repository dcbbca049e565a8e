/** How requests for builds become dispatches of one workflow. Every change is a new version; a build keeps the one it used. */
export interface BuildConfiguration {
  id: number;
  version: number;
  name: string;
  definition: {
    /** OWNER/NAME. */
    repository: string;
    /** File name below .github/workflows. */
    workflow: string;
    default_ref: string;
    /** Inputs that every dispatch carries unless the request says otherwise. */
    inputs: Record<string, string>;
    /** Field of the request -> name of the workflow input. */
    mapping: { image_type: string; fedora_version: string };
  };
}
