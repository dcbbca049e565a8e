/** Returns a repository OWNER/NAME as the parameters of GitHub's routes. */
export function ownerAndRepo(repository: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = repository.split('/');
  return { owner, repo };
}
