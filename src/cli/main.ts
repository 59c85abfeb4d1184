#!/usr/bin/env node
/** The command line: parses, calls one command, and turns its end into an exit code. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ensureError, MusterError } from '../errors.ts';
import { packageVersion } from './package-root.ts';

const program = new Command('muster')
  .description('Runs many AI-agent sessions on one OpenCode server and turns their work into a validated graph.')
  .version(packageVersion())
  .showHelpAfterError('(muster --help lists the commands and their options)')
  .exitOverride();

const home = () => new Option('--home <dir>', 'folder of runs and graph').default('.muster').env('MUSTER_HOME');
const manifest = () => new Option('--manifest <file>', 'what to run; default: the construction-quality manifest');
const json = (what: string) => new Option('--json', what);

// Each command is loaded when it is called: `muster runs` need not wait for the statecharts.

/** Options that `run` and `rehearse` share. */
function running(command: Command): Command {
  return command
    .addOption(manifest())
    .addOption(home())
    .option('--graph <file|url>', 'graph file, or URL of a Neo4j server; default: graph.db in the home folder')
    .option('--opencode <bin>', 'OpenCode binary; default: the one on the PATH if supported, else the bundled one')
    .addOption(new Option('--port <n>', 'port of our own OpenCode server; default: a free one').argParser(port))
    .addOption(
      new Option('--concurrency <n>', 'sessions at work at the same time; default: as in the manifest').argParser(
        positive,
      ),
    )
    .addOption(
      new Option('--budget <cost>', 'pause when the run has cost this much; default: as in the manifest').argParser(
        amount,
      ),
    )
    .option('--changed', 'take over from an earlier run what was made from the same inputs; run the rest')
    .option('--only <task...>', 'run these tasks or instances, take over the others that completed')
    .option('--from <task...>', 'run these tasks or instances and everything behind them')
    .option('--failed', 'run what did not complete; take over the rest, unless it changed')
    .option('--force', 'run everything again, on record as a repetition of the earlier run')
    .option('--against <run>', 'the earlier run to take over from; default: the latest of the project')
    .option('--inspect', 'serve a local page that shows the live statecharts')
    .option('--inspect-open', 'as --inspect, and keep serving after the run until Ctrl-C')
    .addOption(json('facts as JSON lines on standard output'))
    .option('--quiet', 'print the summary only');
}

running(program.command('run'))
  .description('Run the manifest on a folder of documents with a real model.')
  .requiredOption('--documents <dir>', 'folder of the documents')
  .requiredOption('--project <id>', 'project id: the first part of every key')
  .option('--model <provider/model>', 'model of the agents; default: as in the manifest')
  .option('--opencode-config <file>', 'OpenCode configuration (JSON) to add to your own')
  .option('--server <url>', 'attach to a running OpenCode server instead of starting one')
  .addOption(new Option('--password <text>', 'password of that server').env('OPENCODE_SERVER_PASSWORD'))
  .action(async (options) => (await import('./run.ts')).run(options));

running(program.command('rehearse'))
  .description('The same run with the real OpenCode server and a scripted model: no LLM, no key, no cost, offline.')
  .argument('[example]', 'folder with documents/ and rehearsal/; default: the road-upgrade example')
  .option('--documents <dir>', 'folder of the documents; default: documents/ of the example')
  .option('--script <dir>', 'folder of the rehearsal script; default: rehearsal/ of the example')
  .option('--project <id>', 'project id; default: as in the script')
  .action(async (example: string | undefined, options) => (await import('./run.ts')).rehearse(example, options));

program
  .command('resume')
  .description('Go on with a run that was interrupted or died: nothing that completed is done again.')
  .argument('[run]', 'run id, or the beginning of it; default: the latest')
  .addOption(home())
  .option('--force', 'go on although manifest, prompts, schema or documents were changed since')
  .option('--failed', 'try its failed tasks again too')
  .addOption(
    new Option('--until-line <n>', 'go on from the state after this line of a damaged journal').argParser(positive),
  )
  .addOption(new Option('--manifest <file>', 'where the manifest stands now; default: as at the start'))
  .option('--documents <dir>', 'where the documents stand now; default: as at the start')
  .option('--script <dir>', 'where the rehearsal script stands now; default: as at the start')
  .option('--graph <file>', 'where the graph file stands now; default: as at the start')
  .option('--opencode <bin>', 'OpenCode binary; default: as at the start')
  .addOption(new Option('--port <n>', 'port of our own OpenCode server; default: a free one').argParser(port))
  .option('--server <url>', 'running OpenCode server to attach to; default: as at the start')
  .addOption(new Option('--password <text>', 'password of that server').env('OPENCODE_SERVER_PASSWORD'))
  .addOption(
    new Option('--concurrency <n>', 'sessions at work at the same time; default: as at the start').argParser(positive),
  )
  .addOption(
    new Option(
      '--budget <cost>',
      'pause when the run has cost this much altogether; default: as in the manifest',
    ).argParser(amount),
  )
  .option('--inspect', 'serve a local page that shows the live statecharts')
  .option('--inspect-open', 'as --inspect, and keep serving after the run until Ctrl-C')
  .addOption(json('facts as JSON lines on standard output'))
  .option('--quiet', 'print the summary only')
  .action(async (run: string | undefined, options) => (await import('./resume.ts')).resume(run, options));

program
  .command('release')
  .description('Let work go on that waits for a person.')
  .argument('<run>', 'run id, the beginning of it, or "latest"')
  .argument('<point>', 'what waits, as the run says it: "after:pqp-generation", or the task or instance alone')
  .addOption(home())
  .option('--by <name>', 'who decides; default: this user')
  .option('--reason <text>', 'what was found')
  .action(async (run: string, point: string, options) => (await import('./release.ts')).release(run, point, options));

program
  .command('reject')
  .description('Do not let work go on that waits for a person; the reason reaches the agent that did it.')
  .argument('<run>', 'run id, the beginning of it, or "latest"')
  .argument('<point>', 'what waits, as the run says it: "after:pqp-generation", or the task or instance alone')
  .addOption(home())
  .option('--by <name>', 'who decides; default: this user')
  .requiredOption('--reason <text>', 'what is wrong')
  .action(async (run: string, point: string, options) => (await import('./reject.ts')).reject(run, point, options));

program
  .command('plan')
  .description('Show what waits for what, and why.')
  .addOption(manifest())
  .addOption(json('the plan as JSON'))
  .option('--mermaid', 'the plan as a Mermaid diagram')
  .option('--why <task>', 'explain the place of one task')
  .action(async (options) => (await import('./plan.ts')).plan(options));

program
  .command('why')
  .description('Say whether a task would run again, which of its inputs changed since a run, and how.')
  .argument('<run>', 'run id, the beginning of it, or "latest"')
  .argument('<task>', 'task or instance, such as wbs-extraction or "itp-generation[ITP-07]"')
  .addOption(home())
  .addOption(new Option('--manifest <file>', 'where the manifest stands now; default: as at the start of the run'))
  .option('--documents <dir>', 'where the documents stand now; default: as at the start of the run')
  .option('--script <dir>', 'where the rehearsal script stands now; default: as at the start of the run')
  .addOption(json('the explanation as JSON'))
  .action(async (run: string, task: string, options) => (await import('./why.ts')).why(run, task, options));

program
  .command('schema')
  .description('Print AGENT_SCHEMA.md of a task, or the whole master schema.')
  .argument('[task]')
  .addOption(manifest())
  .action(async (task: string | undefined, options) => (await import('./schema.ts')).schema(task, options));

program
  .command('doctor')
  .description('Check the manifest, its schema, and this machine.')
  .addOption(manifest())
  .addOption(home())
  .option('--opencode <bin>', 'OpenCode binary to check')
  .addOption(json('the findings as JSON'))
  .action(async (options) => (await import('./doctor.ts')).doctor(options));

program
  .command('runs')
  .description('List the runs of this folder.')
  .addOption(home())
  .addOption(json('as JSON'))
  .action(async (options) => (await import('./runs.ts')).runs(options));

program
  .command('report')
  .description('Show the report of a run; default: the latest.')
  .argument('[run]', 'run id, or the beginning of it')
  .addOption(home())
  .addOption(json('report.json on standard output'))
  .option('--markdown', 'report.md on standard output')
  .action(async (id: string | undefined, options) => (await import('./runs.ts')).report(id, options));

program
  .command('score')
  .description('Score a run against the truth: precision, recall, and the accuracy of attributes.')
  .argument('[run]', 'run id, the beginning of it, a graph file, or a URL; default: the latest run')
  .requiredOption('--truth <file>', 'the true graph, in the form of "muster export --format json"')
  .addOption(manifest())
  .addOption(home())
  .addOption(json('the score as JSON'))
  .action(async (id: string | undefined, options) => (await import('./score.ts')).score(id, options));

program
  .command('check')
  .description('Judge the quality rules over a graph; exit code 1 when a blocker or an error is found.')
  .argument('[run]', 'run id, the beginning of it, a graph file, or a URL; default: the latest run')
  .option('--project <id>', 'project to check, where the graph holds several')
  .addOption(manifest())
  .addOption(home())
  .addOption(json('the findings as JSON'))
  .action(async (id: string | undefined, options) => (await import('./check.ts')).check(id, options));

program
  .command('copy')
  .description('Copy a graph into another store: from a run or file into Neo4j, or back. Keys decide what is the same.')
  .argument('[run]', 'run id, the beginning of it, a graph file, or a URL; default: the latest run')
  .requiredOption('--to <file|url>', 'graph file, or URL of a Neo4j server (NEO4J_USERNAME, NEO4J_PASSWORD)')
  .option('--dry-run', 'print the Cypher and the rows instead; needs no server')
  .addOption(manifest())
  .addOption(home())
  .action(async (id: string | undefined, options) => (await import('./copy.ts')).copy(id, options));

program
  .command('export')
  .description('Write a graph as files: for machines (JSON, CSV, Cypher, GraphML) and for people (ITPs, registers).')
  .argument('[run]', 'run id, the beginning of it, a graph file, or a URL; default: the latest run')
  .addOption(
    new Option('--format <name>', 'what to write')
      .choices(['json', 'csv', 'cypher', 'graphml', 'itp-xlsx', 'itp-docx', 'registers', 'all'])
      .makeOptionMandatory(),
  )
  .requiredOption('--out <dir>', 'folder to write; it must be new or empty')
  .option('--itp <number>', 'one ITP by its document number, such as ITP-07; default: all')
  .option('--project <id>', 'project, where a graph file or database holds several')
  .option('--profile <file>', 'mapping of columns for site software; default: those that come with muster')
  .option('--force', 'replace the folder; what no export wrote is kept beside it')
  .addOption(manifest())
  .addOption(home())
  .action(async (id: string | undefined, options) => (await import('./export.ts')).exportGraph(id, options));

program
  .command('logs')
  .description('Show what happened in the sessions of one task or instance.')
  .argument('<run>', 'run id, the beginning of it, or "latest"')
  .argument('<task>', 'task or instance, such as wbs-extraction or "itp-generation[ITP-07]"')
  .addOption(home())
  .option('--attempt <n>', 'one attempt only', positive)
  .option('--events', 'every event of the session log, not the facts only')
  .addOption(json('as JSON lines'))
  .action(async (id: string, task: string, options) => (await import('./logs.ts')).logs(id, task, options));

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) {
    throw new InvalidArgumentError(`expected a port from 1 to 65535, got "${text}".`);
  }
  return value;
}

function amount(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError(`expected an amount above 0, got "${text}".`);
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError(`expected a whole number from 1, got "${text}".`);
  }
  return value;
}

/** What went wrong, in one place, with the code that leads to docs/errors.md. */
function explain(thrown: unknown): number {
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
  const error = ensureError(thrown);
  if (!(error instanceof MusterError)) {
    process.stderr.write(`muster: ${error.stack ?? error.message}\nThis is a bug (BUG in docs/errors.md).\n`);
    return 1;
  }
  process.stderr.write(`muster: ${error.message} [${error.code}]\n`);
  return error.exitCode;
}

// A pipe that is closed early (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = explain(thrown);
}
