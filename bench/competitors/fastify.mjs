// A hand-written Node server, as fast as we could make it: Fastify, postgres.js (which pipelines), and one
// prepared SELECT per check. No cache, so revocation takes effect immediately, as with Latchkey.
//
// Options: port, socket (PostgreSQL's folder), database, user, keys (how many), keys_file.
import {hash} from 'node:crypto';
import {write_keys, key_of, listen, load, make, make_key, options, randomUUID, report} from './common.mjs';

const {default: Fastify} = await load('fastify');
const {default: postgres} = await load('postgres');

const sql = postgres({
    path: `${options.socket}/.s.PGSQL.5432`,
    database: options.database,
    username: options.user,
    max: 2,
    fetch_types: false,
    onnotice: () => {},
});

// API keys are long and random, so a plain digest is as safe as a keyed one, and cheaper.
const digest = key => hash('sha256', key, 'buffer');

async function seed() {
    await sql`CREATE TABLE api_keys (
        id uuid PRIMARY KEY, digest bytea NOT NULL UNIQUE, user_id uuid NOT NULL, workspace_id uuid NOT NULL,
        role text NOT NULL, scopes text NOT NULL, expires_at timestamptz, revoked_at timestamptz)`;
    const keys = make(options.keys, make_key);
    const users = make(100, () => ({user: randomUUID(), workspace: randomUUID()}));
    const owner = index => users[index % users.length];
    const column = value => keys.map(value).join();
    await sql`INSERT INTO api_keys (id, digest, user_id, workspace_id, role, scopes)
        SELECT id::uuid, decode(digest, 'hex'), user_id::uuid, workspace_id::uuid, 'admin', '*' FROM unnest(
            string_to_array(${column(() => randomUUID())}, ','),
            string_to_array(${column(key => digest(key).toString('hex'))}, ','),
            string_to_array(${column((_, index) => owner(index).user)}, ','),
            string_to_array(${column((_, index) => owner(index).workspace)}, ',')
        ) AS rows (id, digest, user_id, workspace_id)`;
    await sql`VACUUM ANALYZE api_keys`;
    write_keys(options.keys_file, keys);
}

const find = key => sql`SELECT id, user_id, workspace_id, role, scopes FROM api_keys
    WHERE digest = ${digest(key)} AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())`.values();

await seed();
const server = Fastify({logger: false, keepAliveTimeout: 0});
server.get('/api/v1/users/auth', async (request, reply) => {
    const key = key_of(request.headers.authorization);
    const rows = key ? await find(key) : [];
    if (rows.length === 0)
        return reply.code(401).send();
    const [id, user, workspace, role, scopes] = rows[0];
    return reply
        .headers({
            'cache-control': 'no-store',
            'x-request-id': request.id,
            'x-user-id': user,
            'x-workspace-id': workspace,
            'x-role': role,
            'x-scopes': scopes,
            'x-credential-id': id,
        })
        .send();
});
await server.ready();
report({port: await listen(server.server, options.port)});
