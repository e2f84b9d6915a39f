// Creates API keys at a running Latchkey: twenty users sign up and mint in turn.
//
// Options: port (unused: this script ends when done); server: its URL; keys: how many; keys_file. Prints the
// version of Node.
import {Agent, request} from 'node:http';
import {write_keys, options, randomUUID} from './common.mjs';

const agent = new Agent({keepAlive: true});

const post = (path, token, body) =>
    new Promise((resolve, reject) => {
        const authorization = token && {authorization: `Bearer ${token}`};
        const headers = {'content-type': 'application/json', ...authorization};
        const url = `${options.server}/api/v1/users${path}`;
        const call = request(url, {method: 'POST', headers, agent}, async response => {
            let text = '';
            for await (const part of response)
                text += part;
            const created = response.statusCode === 201;
            return created ? resolve(JSON.parse(text)) : reject(new Error(`${path}: ${text}`));
        });
        call.on('error', reject).end(JSON.stringify(body));
    });

async function sign_up() {
    const account = {email: `${randomUUID()}@bench.example`, password: 'correct horse battery staple'};
    return (await post('/signup', undefined, account)).access_token;
}

async function mint(token, count) {
    const keys = [];
    while (keys.length < count)
        keys.push((await post('/api-keys', token, {name: 'load'})).secret);
    return keys;
}

const users = 20;
const tokens = [];
while (tokens.length < users)
    tokens.push(await sign_up());   // sequentially: the server rejects password hashes beyond its queue
const keys = await Promise.all(tokens.map(token => mint(token, Math.ceil(options.keys / users))));
write_keys(options.keys_file, keys.flat());
console.log(process.versions.node);
agent.destroy();
