// Lints the document {file} with the recommended rules of Redocly and of Spectral. Reports {findings: [text,
// …]}.
import {execFile} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {options, report} from './common.mjs';

const require = createRequire(import.meta.url);
const program = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);

/** The output of a linter (the exit code is nonzero if it has findings). */
const run = (path, args) =>
    new Promise((resolve, reject) => {
        const quiet = {REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: '1'};
        const env = {...process.env, ...quiet};
        execFile(process.execPath, [path, ...args], {env, maxBuffer: 1 << 26}, (error, out, err) =>
            out ? resolve(JSON.parse(out)) : reject(new Error(err)));
    });

const folder = await mkdtemp(join(tmpdir(), 'lint-'));
try {
    const redoclyRules = join(folder, 'redocly.yaml'), spectralRules = join(folder, 'spectral.yaml');
    await writeFile(redoclyRules, 'extends: [recommended]\n');
    await writeFile(spectralRules, 'extends: ["spectral:oas"]\n');
    const [redocly, spectral] = await Promise.all([
        run(program('@redocly/cli', 'bin/cli.js'),
            ['lint', options.file, '--format=json', '--max-problems=1000', `--config=${redoclyRules}`]),
        run(program('@stoplight/spectral-cli', 'dist/index.js'),
            ['lint', '--quiet', '--format=json', `--ruleset=${spectralRules}`, options.file]),
    ]);
    const findings = [
        ...redocly.problems.map(one => `${one.ruleId} ${one.location[0].pointer}`),
        ...spectral.map(one => `${one.code} ${one.path.join('/')}: ${one.message}`),
    ];
    report({findings});
} finally {
    await rm(folder, {recursive: true});
}
process.exit();
