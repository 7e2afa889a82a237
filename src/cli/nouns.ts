import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AddCommand, Done } from './commands.ts';
import type { AnswerFlags, IngestFlags, ListFlags, RagFlags, SearchFlags } from './rag.ts';

/** Options that every command on stored data has. */
export interface DataFlags {
  readonly data?: string;
  readonly config?: string;
  readonly tenant?: string;
  readonly json?: boolean;
}

/** The commands that look into the data folder. */
export const dataCommands: Readonly<Record<string, AddCommand>> = { rag, session, artifact, state, tenant };

function rag(noun: Command, done: Done): void {
  noun.description('ingests documents and searches them');
  const work = () => import('./rag.ts');
  withBase(noun.command('ingest').description('stores documents; what is the same again is skipped'))
    .argument('<paths...>', "files, folders, patterns such as 'docs/**/*.md', addresses")
    .option('--strategy <name>', 'fixed, sentence, recursive, markdown, code or semantic; by the format of each document if not given')
    .option('--chunk-size <n>', 'tokens; 512 if not given', count)
    .option('--overlap <n>', 'tokens; a tenth of the size, at most 50, if not given', whole)
    .option('--embedding <model>', 'such as openai/text-embedding-3-small; local/words if not given')
    .option('--progress', 'tell how far it is, on a terminal or not')
    .action(async (paths: string[], flags: IngestFlags) => done(await (await work()).ingestPaths(paths, flags)));
  withQuery(withBase(noun.command('search').description('the passages that bear on a question')))
    .argument('<query>')
    .addOption(new Option('--mode <mode>', 'hybrid if not given').choices(['hybrid', 'vector', 'keyword']))
    .option('--rerank', 'order the best anew by how they have the words')
    .action(async (query: string, flags: SearchFlags) => done(await (await work()).searchBase(query, flags)));
  withQuery(withBase(noun.command('answer').description('answers from the documents, with quotations that were looked up')))
    .argument('<question>')
    .option('--model <name>', 'local/extractive if not given')
    .action(async (question: string, flags: AnswerFlags) => done(await (await work()).answerQuestion(question, flags)));
  withBase(noun.command('list').description('the documents, ordered by id'))
    .option('--filter <json>', 'only those whose metadata fit')
    .option('--limit <n>', 'at most so many; 1,000 if not given', count)
    .action(async (flags: ListFlags) => done(await (await work()).listBase(flags)));
  withBase(noun.command('delete').description('deletes documents'))
    .argument('<ids...>')
    .action(async (ids: string[], flags: RagFlags) => done(await (await work()).deleteFromBase(ids, flags)));
  withBase(noun.command('stats').description('how much there is')).action(async (flags: RagFlags) => done(await (await work()).showStats(flags)));
  withBase(noun.command('rebuild').description('makes the vector index anew'))
    .option('--progress', 'tell how far it is, on a terminal or not')
    .action(async (flags: RagFlags & { progress?: boolean }) => done(await (await work()).rebuildBase(flags)));
}

function withBase(command: Command): Command {
  return withData(command).option('--base <name>', 'the knowledge base; main if not given');
}

function withQuery(command: Command): Command {
  return command.option('--top <n>', 'at most so many passages; 5 if not given', count).option('--filter <json>', 'only documents whose metadata fit');
}

function session(noun: Command, done: Done): void {
  noun.description('lists, shows and exports sessions');
  withData(noun.command('list').description('the sessions, newest first'))
    .option('--status <status>', 'active, suspended or completed')
    .option('--tag <tag>', 'may be given several times', several)
    .option('--limit <n>', 'at most so many; 100 if not given', count)
    .action(async (flags: DataFlags & { status?: string; tag?: string[]; limit?: number }) => done(await (await import('./session.ts')).listSessions(flags)));
  withData(noun.command('show').description('one session with its last turns'))
    .argument('<id>')
    .option('--last <n>', 'turns; 10 if not given', count)
    .action(async (id: string, flags: DataFlags & { last?: number }) => done(await (await import('./session.ts')).showSession(id, flags)));
  withData(noun.command('export').description('everything of a session as JSON'))
    .argument('<id>')
    .option('--out <file>', 'instead of standard output')
    .action(async (id: string, flags: DataFlags & { out?: string }) => done(await (await import('./session.ts')).exportSession(id, flags)));
}

function artifact(noun: Command, done: Done): void {
  noun.description('lists artifacts and gets their content');
  withData(noun.command('list').description('the artifacts of a session, or of all'))
    .argument('[session]')
    .option('--type <type>', 'only those of this type')
    .option('--limit <n>', 'at most so many; 100 if not given', count)
    .action(async (session: string | undefined, flags: DataFlags & { type?: string; limit?: number }) =>
      done(await (await import('./artifact.ts')).listArtifacts(session, flags)),
    );
  withData(noun.command('get').description('the content of an artifact'))
    .argument('<session>')
    .argument('<artifact>', 'id or name')
    .option('--version <n>', 'of the name; the highest if not given', count)
    .option('--out <file>', 'instead of standard output')
    .action(async (session: string, artifact: string, flags: DataFlags & { version?: number; out?: string }) =>
      done(await (await import('./artifact.ts')).getArtifact(session, artifact, flags)),
    );
}

function state(noun: Command, done: Done): void {
  noun.description('reads and writes State, makes and restores backups');
  withData(noun.command('get').description('a value as JSON'))
    .argument('<scope>')
    .argument('<key>')
    .action(async (scope: string, key: string, flags: DataFlags) => done(await (await import('./state.ts')).getState(scope, key, flags)));
  withData(noun.command('set').description('saves a value'))
    .argument('<scope>')
    .argument('<key>')
    .argument('<json>', 'null deletes')
    .action(async (scope: string, key: string, json: string, flags: DataFlags) => done(await (await import('./state.ts')).setState(scope, key, json, flags)));
  withData(noun.command('list').description('the keys of a scope, or the scopes'))
    .argument('[scope]')
    .option('--prefix <text>', 'only keys that begin so')
    .option('--backups', 'the backups instead, newest first')
    .action(async (scope: string | undefined, flags: DataFlags & { prefix?: string; backups?: boolean }) =>
      done(await (await import('./state.ts')).listState(scope, flags)),
    );
  withData(noun.command('backup').description("copies the tenant's State to a file of the data folder and prints its id"))
    .option('--description <text>')
    .action(async (flags: DataFlags & { description?: string }) => done(await (await import('./state.ts')).backupState(flags)));
  withData(noun.command('restore').description("replaces the tenant's State by a backup and prints the id of a backup of what was there"))
    .argument('<id>')
    .action(async (id: string, flags: DataFlags) => done(await (await import('./state.ts')).restoreState(id, flags)));
}

function tenant(noun: Command, done: Done): void {
  noun.description('lists and removes tenants');
  withFolder(noun.command('list').description('the tenants and what they take on disk')).action(async (flags: DataFlags) =>
    done(await (await import('./tenant.ts')).listTenants(flags)),
  );
  withFolder(noun.command('remove').description('removes everything of a tenant for good'))
    .argument('<id>')
    .action(async (id: string, flags: DataFlags) => done(await (await import('./tenant.ts')).removeTenant(id, flags)));
}

function withData(command: Command): Command {
  return withFolder(command).option('--tenant <id>', 'whose data it is; default if not given');
}

function withFolder(command: Command): Command {
  return command
    .option('--data <dir>', 'the data folder; .llmspell if not given')
    .option('--config <file>', 'instead of llmspell.toml')
    .option('--json', 'as JSON');
}

function several(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || text.trim() === '') throw new InvalidArgumentError('expected a whole number from 0.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return value;
}
