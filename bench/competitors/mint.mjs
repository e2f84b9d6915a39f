// Make API keys at a running Latchkey: twenty people sign up, and mint in turn.
//
// Options: port: where to listen, which it does not, since it ends when done; server: its URL; keys: how many;
// keys_file. Tells which Node this is.
import {Agent, request} from 'node:http';
import {hand_over, options, randomUUID} from './common.mjs';

const agent = new Agent({keepAlive: true});

const post = (path, token, body) =>
    new Promise((resolve, reject) => {
        const headers = {'content-type': 'application/json', ...(token && {authorization: `Bearer ${token}`})};
        const call = request(`${options.server}/api/v1/users${path}`, {method: 'POST', headers, agent}, async reply => {
            let text = '';
            for await (const part of reply)
                text += part;
            return reply.statusCode === 201 ? resolve(JSON.parse(text)) : reject(new Error(`${path}: ${text}`));
        });
        call.on('error', reject).end(JSON.stringify(body));
    });

async function sign_up() {
    const person = {email: `${randomUUID()}@bench.example`, password: 'correct horse battery staple'};
    return (await post('/signup', undefined, person)).access_token;
}

async function mint(token, count) {
    const keys = [];
    while (keys.length < count)
        keys.push((await post('/api-keys', token, {name: 'load'})).secret);
    return keys;
}

const people = 20;
const tokens = [];
while (tokens.length < people)
    tokens.push(await sign_up());   // one by one, as the server sheds hashes that would wait
const keys = await Promise.all(tokens.map(token => mint(token, Math.ceil(options.keys / people))));
hand_over(options.keys_file, keys.flat());
console.log(process.versions.node);
agent.destroy();
