// better-auth with its API key plugin, called in process, behind Node's bare HTTP server.
//
// Options: port, socket (PostgreSQL's folder), database, user, keys (how many), keys_file; redis: a socket. With
// it, the keys are stored only in Redis, with deferred updates: the fastest setup found. Without it, they are
// stored in PostgreSQL and each check writes to it, the plugin's default.
import {createServer} from 'node:http';
import {write_keys, key_of, listen, load, make, options, randomUUID, report} from './common.mjs';

const {betterAuth} = await load('better-auth');
const {getMigrations} = await load('better-auth/db/migration');
const {apiKey} = await load('@better-auth/api-key');
const {default: pg} = await load('pg');

async function connect_redis(path) {
    const {Redis} = await load('ioredis');
    const redis = new Redis({path, enableAutoPipelining: true});
    return {
        get: key => redis.get(key),
        set: (key, value, seconds) =>
            seconds ? redis.set(key, value, 'EX', seconds) : redis.set(key, value),
        delete: key => redis.del(key),
    };
}

const settings = {
    database: new pg.Pool({host: options.socket, database: options.database, user: options.user}),
    secret: randomUUID() + randomUUID(),
    baseURL: `http://127.0.0.1:${options.port}`,
    logger: {disabled: true},
    telemetry: {enabled: false},
    rateLimit: {enabled: false},
    emailAndPassword: {enabled: true},
    plugins: [apiKey({
        rateLimit: {enabled: false},
        ...(options.redis && {storage: 'secondary-storage', deferUpdates: true}),
    })],
};
if (options.redis) {
    settings.secondaryStorage = await connect_redis(options.redis);
    settings.advanced = {backgroundTasks: {handler: promise => void promise.catch(() => {})}};
}
const auth = betterAuth(settings);

// Ten keys per user: with Redis, each check writes the list of all keys of the owner.
async function seed() {
    const {runMigrations} = await getMigrations(settings);
    await runMigrations();
    const {internalAdapter} = await auth.$context;
    const keys = [];
    while (keys.length < options.keys) {
        const email = `${randomUUID()}@bench.example`;
        const user = await internalAdapter.createUser({email, name: 'Load', emailVerified: true});
        const made = make(10, () => auth.api.createApiKey({body: {name: 'load', userId: user.id}}));
        keys.push(...(await Promise.all(made)).map(key => key.key));
    }
    await settings.database.query('VACUUM ANALYZE');
    write_keys(options.keys_file, keys);
}

await seed();
// better-auth keys have no workspace and no role: these headers are constants.
const workspace = randomUUID();
let count = 0;
const server = createServer({keepAliveTimeout: 0}, async (request, response) => {
    const key = key_of(request.headers.authorization);
    const found = key ? await auth.api.verifyApiKey({body: {key}}) : {valid: false};
    if (!found.valid)
        return response.writeHead(401, {'content-length': 0}).end();
    response.writeHead(200, {
        'content-length': 0,
        'cache-control': 'no-store',
        'x-request-id': ++count,
        'x-user-id': found.key.referenceId,
        'x-workspace-id': workspace,
        'x-role': 'admin',
        'x-scopes': '*',
        'x-credential-id': found.key.id,
    }).end();
});
report({port: await listen(server, options.port)});
