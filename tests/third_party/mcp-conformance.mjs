// Runs the MCP conformance suite for the specification {revision} against {url}. The suite has no support for
// credentials, so a proxy adds {token}, and replaces the suite's own origins by {origin}. Reports
// {scenarios: {name: [failed check, …]}}.
import {execFile} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {createServer, request} from 'node:http';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {listen, options, report} from './common.mjs';

const proxy = createServer((incoming, outgoing) => {
    const headers = {...incoming.headers, authorization: `Bearer ${options.token}`};
    if ([`http://127.0.0.1:${port}`, `http://localhost:${port}`].includes(headers.origin))
        headers.origin = options.origin; // a page of the proxy's is one that the server knows
    const onward = request(new URL(incoming.url, options.url), {method: incoming.method, headers}, answer => {
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
    });
    incoming.pipe(onward);
});
const port = await listen(proxy);
const require = createRequire(import.meta.url);
const suite = dirname(require.resolve('@modelcontextprotocol/conformance/package.json'));
const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
await new Promise(resolve => {
    const args = [join(suite, 'dist/index.js'), 'server', '--url', `http://127.0.0.1:${port}/mcp`,
                  '--requirements', options.revision, '-o', folder];
    // The exit code, nonzero if a scenario fails, is ignored.
    execFile(process.execPath, args, {maxBuffer: 1 << 26}, resolve);
});
const scenarios = {};
for (const run of await readdir(folder)) {
    const checks = JSON.parse(await readFile(join(folder, run, 'checks.json'), 'utf8'));
    const name = run.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    const failed = checks.filter(({status}) => status === 'FAILURE');
    scenarios[name] = failed.map(({id, errorMessage}) => `${id}: ${errorMessage ?? ''}`);
}
await rm(folder, {recursive: true});
report({scenarios});
process.exit();
