// A server with a database of its own, and the emails that it sends.
import {spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {program, root} from './packages.mjs';

/** Repeat until the result is neither undefined nor false. @throw Error after the limit, in milliseconds */
export async function eventually(what, attempt, limit = 60_000) {
    const end = Date.now() + limit;
    for (;;) {
        const result = await attempt();
        if (result !== undefined && result !== false)
            return result;
        if (Date.now() > end)
            throw new Error(`not within ${limit} ms: ${what}`);
        await new Promise(done => setTimeout(done, 50));
    }
}

const freePort = () => new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
        const {port} = probe.address();
        probe.close(() => done(port));
    });
});

/** The text of an email: its encoding undone. In a plain one, a token may look like an encoded character. */
function textOf(raw) {
    if (!/^Content-Transfer-Encoding: quoted-printable/mi.test(raw))
        return raw;
    const joined = raw.replace(/=\r?\n/g, '');
    return joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

export class Server {
    /** @param {Record<string, string>} [settings] environment variables */
    static async start(settings = {}) {
        const server = new Server();
        server.folder = mkdtempSync(join(tmpdir(), 'latchkey-browser-'));
        const cluster = join(server.folder, 'postgres');
        mkdirSync(cluster);
        // PostgreSQL runs as another user where this runs as root.
        spawnSync('chmod', ['755', server.folder]);
        const started = spawnSync(`${root}scripts/postgres`,
                                  ['start', cluster, '--throwaway', '--while', String(process.pid)],
                                      {encoding: 'utf8'});
        if (started.status !== 0)
            throw new Error(`PostgreSQL does not start: ${started.stderr}`);
        server.cluster = cluster;
        const port = await freePort();
        server.origin = `http://127.0.0.1:${port}`;
        server.output = '';
        server.process = spawn(program, ['serve'], {
            env: {
                PATH: process.env.PATH,
                ...Object.fromEntries(Object.entries(process.env).filter(([name]) => name.endsWith('SAN_OPTIONS'))),
                LATCHKEY_LISTEN: `127.0.0.1:${port}`,
                LATCHKEY_DATABASE_URL: started.stdout.trim().split('\n').at(-1),
                LATCHKEY_MASTER_KEY: randomBytes(32).toString('base64'),
                LATCHKEY_DATA_DIR: server.folder,
                LATCHKEY_PASSWORD_HASH: 'm=64,t=1,p=1',
                LATCHKEY_RATE_LIMIT_PER_MINUTE: '0',
                LATCHKEY_THREADS: '2',
                LATCHKEY_DATABASE_CONNECTIONS: '1',
                ...settings,
            },
        });
        server.process.stderr.on('data', data => {
            server.output += data;
        });
        await eventually('the server answers', async () => {
            if (server.process.exitCode !== null)
                throw new Error(`the server has ended: ${server.output}`);
            return fetch(`${server.origin}/healthz`).then(response => response.ok, () => false);
        }).catch(error => {
            throw new Error(`${error.message}: ${server.output}`);
        });
        return server;
    }

    async stop() {
        const ended = new Promise(done => this.process.once('exit', done));
        this.process.kill('SIGTERM');
        const status = this.process.exitCode ?? await ended;
        spawnSync(`${root}scripts/postgres`, ['stop', this.cluster, 'immediate']);
        rmSync(this.folder, {recursive: true, force: true});
        if (status !== 0 || /Sanitizer|runtime error/.test(this.output))
            throw new Error(`the server ended with ${status}: ${this.output.slice(-20_000)}`);
    }

    /** A call of the API. @return {Promise<any>} its body */
    async call(method, path, {token, body} = {}) {
        const response = await fetch(`${this.origin}/api/v1/users${path}`, {
            method,
            headers: {...token && {Authorization: `Bearer ${token}`}, ...body && {'Content-Type': 'application/json'}},
            body: body && JSON.stringify(body),
        });
        const text = await response.text();
        if (!response.ok)
            throw new Error(`${method} ${path}: ${response.status} ${text}`);
        return text ? JSON.parse(text) : undefined;
    }

    /** The link in the newest email of a kind to an address. @return {Promise<string>} */
    async link(address, path) {
        const folder = join(this.folder, 'mail');
        return eventually(`an email to ${address} with a link to ${path}`, () => {
            let files = [];
            try {
                files = readdirSync(folder).filter(name => name.endsWith('.eml')).sort().reverse();
            } catch {
                return false;
            }
            for (const name of files) {
                const text = textOf(readFileSync(join(folder, name), 'latin1'));
                const to = /^To: (.*)$/mi.exec(text)?.[1] ?? '';
                const found = to.includes(address) && new RegExp(`${this.origin}${path}#token=[\\w-]+`).exec(text);
                if (found)
                    return found[0];
            }
            return false;
        });
    }
}

let number = 0;

/** An address that no test has used. */
export const newAddress = name => `${name}-${process.pid}-${++number}@example.com`;

export const password = 'correct horse battery staple';

/** Prove an account's address by its link. */
export async function verify(server, email) {
    const link = await server.link(email, '/verify');
    await server.call('POST', '/email/verify', {body: {token: link.split('token=')[1], password}});
}

/**
 * Make an account with a workspace, and prove its address.
 *
 * @return {Promise<{token: string, workspace: string}>} an access token, and the id
 */
export async function signUp(server, email, name = 'Grace Hopper', workspaceName = 'Compilers') {
    const {access_token: token, workspace} = await server.call('POST', '/signup', {
        body: {email, password, name, workspace_name: workspaceName}});
    await verify(server, email);
    return {token, workspace: workspace.id};
}
