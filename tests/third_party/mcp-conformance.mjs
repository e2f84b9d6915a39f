// Runs the protocol's own conformance suite against {url}, of the spec {revision}. The suite knows no credentials, so they
// are added on the way: {token}, and {origin} where a page of its own is meant. Tells {scenarios: {name: [failed check, …]}} and ends.
import {execFile} from 'node:child_process';
import {mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {createServer, request} from 'node:http';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {listen, options, tell} from './common.mjs';

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
const suite = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'));
const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
await new Promise(resolve => {
    const args = [join(suite, 'dist/index.js'), 'server', '--url', `http://127.0.0.1:${port}/mcp`,
                  '--requirements', options.revision, '-o', folder];
    execFile(process.execPath, args, {maxBuffer: 1 << 26}, resolve); // fails where a scenario does
});
const scenarios = {};
for (const place of await readdir(folder)) {
    const checks = JSON.parse(await readFile(join(folder, place, 'checks.json'), 'utf8'));
    const name = place.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
    scenarios[name] = checks.filter(one => one.status === 'FAILURE').map(one => `${one.id}: ${one.errorMessage ?? ''}`);
}
await rm(folder, {recursive: true});
tell({scenarios});
process.exit();
