// Unit tests of the console's modules without a page: addresses, texts, formatting, commands, the client.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {dirname, join, normalize} from 'node:path';
import {test} from 'node:test';
import {program, root} from './support/packages.mjs';

const folder = `${root}handlers/console/`;
const load = name => import(`${folder}${name}`);
const read = name => readFileSync(join(folder, name), 'utf8');
const sources = readdirSync(folder, {recursive: true}).filter(name => name.endsWith('.js'));

const {address, parse} = await load('lib/router.js');
const workspace = '0193b2a4-1111-7222-8333-444455556666';

test('an address is read as it is written', () => {
    for (const [rest, query] of [[[], {}], [['k3yprefx'], {}], [['a/b ü%'], {q: 'x&y=z'}]]) {
        const [path, search = ''] = address(workspace, 'keys', rest, query).split('?');
        const route = parse(path, search);
        assert.deepEqual([route.workspace, route.screen, route.rest], [workspace, 'keys', rest]);
        assert.deepEqual(Object.fromEntries(route.query), query);
    }
});

test('unknown addresses are missing, and never fail', () => {
    for (const path of ['/', '/consoles', `/console/${workspace}/nope`, '/console/nope', '/console/%',
        '/console/%2F/keys'])
        assert.equal(parse(path).screen, 'missing', path);
    assert.deepEqual([parse('/console').screen, parse('/console').workspace], ['overview', null]);
    assert.equal(parse(address(null, 'account')).workspace, null);
    assert.equal(parse(`/console/${workspace.toUpperCase()}`).workspace, workspace);
});

test('commands survive a shell', async () => {
    const {curl, quote} = await load('lib/curl.js');
    for (const word of ['plain', 'two words', "it's", '$(reboot)', '`x`', '"', '\\', 'a\nb', '', '*', 'ü'])
        assert.equal(execFileSync('/bin/sh', ['-c', `printf %s ${quote(word)}`], {encoding: 'utf8'}), word);
    const command = curl({method: 'POST', url: 'http://x/y?a=b&c=d', body: {name: "it's", password: 'secret'}});
    assert.match(command, /-X POST 'http:\/\/x\/y\?a=b&c=d'/);
    assert.ok(!command.includes('secret'));
    assert.match(command, /Authorization: Bearer \$LATCHKEY_TOKEN"/);
});

test('pasted addresses are found once, in order', async () => {
    const {addressesIn} = await load('lib/format.js');
    assert.deepEqual(addressesIn('Ada <ada@x.org>, bob@x.org;\nBOB@x.org mailto:eve@x.org. none "q@x.org"'),
                     ['ada@x.org', 'bob@x.org', 'eve@x.org', 'q@x.org']);
    assert.deepEqual(addressesIn('no address @ all'), []);
});

test('times are relative to now', async () => {
    const {relative, initials, device} = await load('lib/format.js');
    const now = Date.parse('2026-11-30T12:00:00Z');
    assert.equal(relative(now - 3 * 3600_000, now, 'en'), '3 hours ago');
    assert.equal(relative(now + 2 * 86400_000, now, 'en'), 'in 2 days');
    assert.equal(relative(now - 40 * 86400_000, now, 'en'), 'last month');
    assert.equal(relative(now, now, 'de'), 'jetzt');
    assert.deepEqual(['Ada Lovelace', 'ada@x.org', '', 'Øyvind', '李 小龙'].map(initials), ['AL', 'A', '?', 'Ø', '李小']);
    assert.equal(device('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36'),
                 'Chrome · Linux');
    assert.equal(device('curl/8.1'), 'curl');
});

test('a key is what its times say', async () => {
    const {stateOf, byResource} = await load('lib/keys.js');
    const now = Date.parse('2026-11-30T12:00:00Z');
    const at = days => new Date(now + days * 86400_000).toISOString();
    const key = (expires, revoked = null) => stateOf({expires_at: expires, revoked_at: revoked}, now);
    assert.deepEqual([key(null), key(at(90)), key(at(3)), key(at(-1)), key(at(90), at(-1)), key(null, at(1))],
                     ['active', 'active', 'expiring', 'expired', 'revoked', 'active']);
    assert.deepEqual(byResource(['a:x', 'b:y', 'a:z']), [['a', ['a:x', 'a:z']], ['b', ['b:y']]]);
});

test('days without use are zero, in order', async () => {
    const {byDay, lastDays, total} = await load('lib/keys.js');
    const days = lastDays(3, Date.parse('2026-03-01T00:30:00Z'));
    assert.deepEqual(days, ['2026-02-27', '2026-02-28', '2026-03-01']);
    const bars = byDay([{day: '2026-02-28', checks: 6, refusals: 1}], days);
    assert.deepEqual(bars.map(bar => bar.counts.allowed), [0, 5, 0]);
    assert.deepEqual(total(bars.map(bar => bar.counts)), {allowed: 5, refused: 1, rate_limited: 0});
});

test('a square of a picture stays inside of it', async () => {
    const {squareOf} = await load('lib/crop.js');
    for (const zoom of [1, 2.5, 4])
        for (const x of [0, 0.5, 1]) {
            const {side, left, top} = squareOf({width: 400, height: 300}, {zoom, x, y: x});
            assert.ok(left >= 0 && top >= 0 && left + side <= 400.001 && top + side <= 300.001);
        }
});

const i18n = await load('lib/i18n.js');
const texts = Object.fromEntries(i18n.languages.map(
    tag => [tag, i18n.flatten(JSON.parse(read(`languages/${tag}.json`)))]));

test('every language has every text, with the same values and its plural forms', () => {
    const [first, ...others] = i18n.languages;
    for (const tag of others)
        assert.deepEqual([...texts[tag].keys()], [...texts[first].keys()], tag);
    const valuesOf = text => new Set(Object.values(typeof text === 'string' ? [text] : text)
        .flatMap(one => one.match(/\{\w+\}/g) ?? []).filter(one => one !== '{count}'));
    for (const tag of i18n.languages) {
        const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories.sort();
        for (const [name, text] of texts[tag]) {
            assert.deepEqual(valuesOf(text), valuesOf(texts[first].get(name)), `${tag} ${name}`);
            if (typeof text !== 'string')
                assert.deepEqual(Object.keys(text).sort(), forms, `${tag} ${name}`);
            for (const one of typeof text === 'string' ? [text] : Object.values(text))
                assert.ok(one.trim(), `${tag} ${name} is empty`);
        }
    }
});

test('the languages are those of the folder', () => {
    assert.deepEqual(readdirSync(join(folder, 'languages')).map(name => name.replace('.json', '')).sort(),
                     [...i18n.languages].sort());
});

test('what the API names has a text, and no text names what the API does not have', () => {
    const document = JSON.parse(execFileSync(program, ['openapi', '--public-url', 'http://127.0.0.1:8080'],
                                             {encoding: 'utf8', maxBuffer: 64 << 20}));
    const {schemas} = document.components;
    const values = (schema, property) => schemas[schema].properties[property].enum.filter(one => one !== null);
    const operations = Object.values(document.paths).flatMap(path => Object.values(path));
    const audit = operations.find(one => one.operationId === 'listAudit').description;
    const documented = [...audit.slice(audit.indexOf('Actions:'), audit.indexOf('. A wrong'))
        .matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(match => match[1]);
    // A response is named after its codes, as 401-unauthorized-token_expired.
    const codes = new Set(Object.keys(document.components.responses).flatMap(name => name.split('-').slice(1)));
    const permissions = new Set(operations.flatMap(one =>
        [...(one.description ?? '').matchAll(/`([a-z_]+:[a-z_]+)`/g)].map(match => match[1])));

    const of = prefix => [...texts.en.keys()].filter(name => name.startsWith(`${prefix}.`))
        .map(name => name.slice(prefix.length + 1));
    const assertSame = (prefix, expected) => assert.deepEqual(
        of(prefix).filter(name => !name.endsWith('_hint')).sort(), [...expected].sort(), prefix);
    assertSame('role', values('membership', 'role'));
    assertSame('invite_result', values('invite_outcome', 'result'));
    assertSame('invite_status', values('invite_row', 'status'));
    assertSame('join_policy', values('workspace_settings', 'join_policy'));
    assertSame('key_owner', values('api_key_row', 'owner'));
    assertSame('notification', Object.keys(schemas.notifications.properties));
    for (const status of values('usage_row', 'status'))
        assert.ok(texts.en.has(`usage.${status}`), status);
    for (const permission of permissions)
        assert.ok(texts.en.has(`permission.${permission.replace(':', '_')}`), permission);

    const named = new Set(of('action'));
    assert.ok(documented.length > 30);
    for (const action of documented)
        assert.ok(named.has(action.replace('.', '_')), action);
    for (const name of named)
        assert.ok(documented.some(action => action.replace('.', '_') === name), name);
    const listed = read('screens/audit.js').match(/actions = \[([^\]]*)\]/)[1].match(/[\w.]+\.\w+/g);
    assert.deepEqual(documented.filter(one => !listed.includes(one)), []);
    assert.deepEqual(listed.filter(one => !documented.includes(one)), []);

    // Codes of calls that the console does not make, that it prevents, or that it explains at a field.
    const elsewhere = new Set([
        'bad_request', 'malformed_json', 'cross_site_request', 'https_required', 'invalid_request', 'invalid_token',
        'link_required', 'not_a_session', 'wrong_account', 'email_taken', 'token_expired', 'weak_password']);
    assert.ok(codes.size > 20);
    for (const code of codes)
        assert.ok(texts.en.has(`error.${code}`) || elsewhere.has(code), code);
    const own = new Set(['unknown', 'unreachable', 'other_user', 'stale_page', 'rate_limited_for', 'ask_admin']);
    for (const name of of('error'))
        assert.ok(codes.has(name) || own.has(name), `error.${name}`);
});

test('every text that the sources name exists, and every text is named', () => {
    const code = sources.map(read).join('\n');
    const named = [...code.matchAll(/\b(?:t|pieces|has)\(\s*'([\w.]+)'/g)].map(match => match[1]);
    assert.ok(named.length > 200);
    for (const name of named)
        assert.ok(texts.en.has(name), name);
    // A name with a variable part, as t(`role.${role}`), and texts that are named in tables.
    const prefixes = [...code.matchAll(/`([a-z_]+\.[a-z_]*)\$\{/g)].map(match => match[1]);
    const literal = new Set([...code.matchAll(/'([a-z_]+\.\w+)'/g)].map(match => match[1]));
    for (const name of texts.en.keys())
        assert.ok(literal.has(name) || prefixes.some(prefix => name.startsWith(prefix)), `${name} is not used`);
});

test('texts are chosen by language, values and number', async () => {
    const give = async tag => JSON.parse(read(`languages/${tag}.json`));
    await i18n.use(['fr', 'de-AT', 'en'], give);
    assert.equal(i18n.currentLanguage(), 'de');
    assert.equal(i18n.t('common.rows', {count: 1}), 'Eine Zeile');
    assert.equal(i18n.t('common.rows', {count: 1234}).replace(/\D/g, ''), '1234');
    assert.equal(i18n.t('no.such'), 'no.such');
    assert.deepEqual(i18n.pieces('overview.intro', {name: 7}), ['Was in ', '7', ' geschieht']);
    await i18n.use(['xx'], give);
    assert.equal(i18n.currentLanguage(), 'en');
});

const {Client, followSession, signOut, withQuery} = await load('lib/client.js');
const {Problem, retryAfterSeconds} = await load('lib/problem.js');

// The channel of the page ends with the page, and here must not keep the process.
globalThis.BroadcastChannel = class extends BroadcastChannel {
    constructor(name) {
        super(name);
        this.unref();
    }
};

const ada = '0193b2a4-aaaa-7222-8333-444455556666', bob = '0193b2a4-bbbb-7222-8333-444455556666';

/** A client against a list of responses: [status, body, headers] or an Error. */
function clientOf(responses, options = {}) {
    const calls = [];
    const client = new Client(workspace, {
        fetch: async (url, init) => {
            calls.push({url, ...init});
            const next = url.endsWith('/session/token') && responses[0]?.token === undefined && !options.tokens ?
                [200, {access_token: `t${calls.length}`, expires_in: 3600, user: {id: ada}}] : responses.shift();
            if (next instanceof Error)
                throw next;
            const [status, body, headers] = next.token ?? next;
            return new Response(body === undefined ? null : JSON.stringify(body), {status, headers});
        },
        ...options,
    });
    return {client, calls};
}

test('calls share one token, and renew it before it ends', async () => {
    let now = 1_000_000;
    const {client, calls} = clientOf([[200, {a: 1}], [200, {a: 2}], [200, {a: 3}]], {now: () => now});
    await Promise.all([client.get('/a'), client.get('/b')]);
    assert.equal(calls.filter(one => one.url.endsWith('/session/token')).length, 1);
    assert.equal(JSON.parse(calls[0].body).workspace_id, workspace);
    now += 3_560_000;
    await client.get('/c');
    assert.equal(calls.filter(one => one.url.endsWith('/session/token')).length, 2);
    assert.equal(calls.at(-1).headers.Authorization, `Bearer t${calls.length - 1}`);
    assert.equal(calls.at(-1).credentials, 'omit');
});

test('what was asked for ahead is taken once, and not kept', async t => {
    t.mock.timers.enable({apis: ['setTimeout']});
    const {client, calls} = clientOf([
        [200, {a: 1}], [200, {a: 2}], [404, {code: 'not_found', detail: ''}],
        ...[3, 4, 5, 6, 7].map(a => [200, {a}])]);
    client.prefetch('/usage', {by: 'day', from: null});
    assert.deepEqual(await client.get('/usage', {by: 'day'}), {a: 1});
    assert.deepEqual(await client.get('/usage', {by: 'day'}), {a: 2});
    // A failure is the screen's to show.
    client.prefetch('/usage');
    await assert.rejects(client.get('/usage'), {status: 404});
    assert.deepEqual(await client.get('/usage'), {a: 3});
    client.prefetch('/usage');
    t.mock.timers.tick(5000);
    client.prefetch('/me');
    client.close();
    await client.open();
    assert.deepEqual([(await client.get('/usage')).a > 3, (await client.get('/me')).a > 3], [true, true]);
    assert.equal(calls.filter(one => !one.url.endsWith('/session/token')).length, 8);
});

test('the overview asks the same again within a day', async () => {
    const {overviewCalls, periodOf} = await load('lib/keys.js');
    const at = time => overviewCalls(7, ['api_keys:admin'], Date.parse(`2026-11-30T${time}Z`));
    assert.deepEqual(at('00:00:01'), at('23:59:59'));
    const {daily, expiring, requests} = at('12:00:00');
    assert.deepEqual([daily.query.from, daily.query.to, requests], ['2026-11-24', '2026-11-30', null]);
    assert.deepEqual([expiring.path, expiring.query.expires_before], ['/team/api-keys', '2026-12-15T00:00:00Z']);
    assert.equal(overviewCalls(7, []).expiring.path, '/api-keys');
    assert.deepEqual(['', 'days=90', 'days=8'].map(one => periodOf(new URLSearchParams(one))), [30, 90, 30]);
});

test('a rejected token is renewed once, for every method', async () => {
    const {client, calls} = clientOf([[401, {code: 'token_expired', detail: ''}], [201, {ok: true}]]);
    assert.deepEqual(await client.post('/api-keys', {name: 'x'}), {ok: true});
    assert.equal(calls.length, 4);
    const again = clientOf([[401, {code: 'unauthorized', detail: ''}], [401, {code: 'unauthorized', detail: ''}]]);
    await assert.rejects(again.client.get('/me'), {code: 'unauthorized'});
});

test('only a GET is repeated when the server does not answer', async () => {
    const busy = [503, {code: 'overloaded', detail: ''}, {'Retry-After': '0'}];
    const get = clientOf([busy, new TypeError('network'), [200, {ok: 1}]]);
    assert.deepEqual(await get.client.get('/me'), {ok: 1});
    const post = clientOf([busy, [200, {}]]);
    await assert.rejects(post.client.post('/api-keys', {}), {code: 'overloaded'});
    const limited = clientOf([[429, {code: 'rate_limited', detail: ''}, {'Retry-After': '7'}]]);
    await assert.rejects(limited.client.get('/me'), {status: 429, retryAfter: 7});
});

test('an ended session leads to the sign-in page', async () => {
    let left = 0;
    const {client} = clientOf([{token: [401, {code: 'unauthorized', detail: ''}]}],
                              {tokens: true, onSignedOut: () => ++left});
    await assert.rejects(client.get('/me'), {status: 401});
    assert.equal(left, 1);
});

test('a call of one person is not repeated as another', async () => {
    const tokenOf = id => ({token: [200, {access_token: 't', expires_in: 3600, user: {id}}]});
    const rejected = [401, {code: 'unauthorized', detail: ''}];
    for (const [first, second] of [[ada, ada], [ada, bob]]) {
        let reloads = 0;
        const {client, calls} = clientOf([tokenOf(first), rejected, tokenOf(second), [200, {ok: 1}]],
                                         {tokens: true, onOtherUser: () => ++reloads});
        const call = client.post('/api-keys', {name: 'x'});
        if (first === second)
            assert.deepEqual(await call, {ok: 1});
        else
            await assert.rejects(call, {code: 'other_user'});
        assert.deepEqual([reloads, calls.length, client.token], first === second ? [0, 4, 't'] : [1, 3, '']);
    }
    // Another workspace is another client of the same page.
    let reloads = 0;
    const {client} = clientOf([tokenOf(bob)], {tokens: true, user: ada, onOtherUser: () => ++reloads});
    await assert.rejects(client.open(), {code: 'other_user'});
    assert.equal(reloads, 1);
});

test('a session ends in all tabs, and only when the server says so', async () => {
    const other = new BroadcastChannel('latchkey:session');
    other.ref();
    const answering = status => async (url, init) => {
        assert.deepEqual([url, init.method], ['/session', 'DELETE']);
        return new Response(status === 204 ? null : '{}', {status});
    };
    try {
        const heard = [];
        other.onmessage = ({data}) => heard.push(data);
        await assert.rejects(signOut(answering(503)), {status: 503});
        await assert.rejects(signOut(() => Promise.reject(new TypeError('network'))), {code: 'unreachable'});
        const ended = new Promise(done => other.addEventListener('message', done));
        await signOut(answering(204));
        await ended;
        assert.deepEqual(heard, ['ended']);

        let left = 0;
        const {client, calls} = clientOf([{token: [401, {code: 'unauthorized', detail: ''}]}],
                                         {tokens: true, onSignedOut: () => ++left});
        const asked = new Promise(done => {
            const stop = followSession(() => {
                stop();
                done(client.recheck());
            });
        });
        other.postMessage('ended');
        await asked;
        assert.deepEqual([left, calls.length], [1, 1]);
    } finally {
        other.close();
    }
});

test('a picture of another site is not asked for with the token', async () => {
    globalThis.location = new URL('https://id.example.com/console');
    try {
        for (const url of ['https://elsewhere.example.com/api/v1/users/avatars/1?v=1', '//x.org/api/v1/users/avatars/1',
            'https://id.example.com/avatars/1', 'https://id.example.com/other/api/v1/users/avatars/1']) {
            const {client, calls} = clientOf([]);
            assert.equal(await client.picture(url), null, url);
            assert.equal(calls.length, 0, url);
        }
        const {client, calls} = clientOf([[200, {}]]);
        const [one, two] = await Promise.all(['https://id.example.com', ''].map(
            origin => client.picture(`${origin}/api/v1/users/avatars/1?v=2`)));
        assert.ok(one?.startsWith('blob:') && one === two);
        assert.deepEqual(calls.map(call => call.url), ['/session/token', '/api/v1/users/avatars/1?v=2']);
        client.close();
    } finally {
        delete globalThis.location;
    }
});

test('errors belong to the fields that they name', () => {
    const problem = new Problem(422, 'validation_error', '', {fields: [
        {loc: ['body', 'email'], msg: 'a', type: 'value_error'}, {loc: ['body', 'email'], msg: 'b', type: 'missing'},
        {loc: ['body', 'invites', 3, 'email'], msg: 'c', type: 'value_error'}, {loc: ['body'], msg: 'd',
            type: 'dict_type'}]});
    const fields = problem.byField();
    assert.deepEqual([...fields.keys()], ['email', 'invites', 'body']);
    assert.equal(fields.get('email').msg, 'a');
    assert.equal(retryAfterSeconds('Wed, 21 Oct 2026 07:28:00 GMT', Date.parse('2026-10-21T07:27:30Z')), 30);
    assert.deepEqual([retryAfterSeconds('12', 0), retryAfterSeconds(null, 0), retryAfterSeconds('x', 0)], [12, null,
        null]);
    assert.equal(withQuery('/a', {x: '', y: null, z: 0, q: 'ü&'}), '/a?z=0&q=%C3%BC%26');
});

test('the page fetches exactly the modules of its first screen ahead', () => {
    const listed = read('console.cpp').match(/first_modules\[\] = \{([^}]*)\}/)[1].match(/"([^"]+)"/g)
        .map(one => one.slice(1, -1));
    const found = new Set();
    const visit = name => {
        if (found.has(name))
            return;
        found.add(name);
        if (!name.startsWith('vendor/'))
            for (const [, to] of read(name).matchAll(/^(?:import|export)[^;]*?from\s+'(\.[^']+)'/gms))
                visit(normalize(join(dirname(name), to)));
    };
    visit('main.js');
    visit('screens/overview.js');
    assert.deepEqual([...listed].sort(), [...found].sort());
});

test('no source writes HTML, inline styles or secrets to a store', () => {
    for (const name of sources) {
        const code = read(name);
        assert.doesNotMatch(code, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
        assert.doesNotMatch(code, /dangerouslySet|\sstyle=|sessionStorage|indexedDB|document\.cookie/, name);
        if (!/(theme|site)\.js$/.test(name))
            assert.doesNotMatch(code, /localStorage/, name);
    }
});
