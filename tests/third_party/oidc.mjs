// A controllable OpenID provider: oauth2-mock-server over https, behind a layer that counts, delays, fails
// and falsifies. Options: paths of the PEM files `key` and `cert`, without which it serves plain http, and a
// `port`.
//
// Reports {"issuer": "https://localhost:N", "control": M}. At http://127.0.0.1:M:
//
//   POST /set    merge into the settings below; objects are merged by member
//   POST /reset  restore the defaults and clear the log; the key stays
//   GET  /log    the requests received, see `empty_log`
import {createHmac, randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as create_tls_server} from 'node:https';
import {text} from 'node:stream/consumers';
import {setTimeout as sleep} from 'node:timers/promises';
import {listen, load, options, report} from './common.mjs';

const {OAuth2Issuer, OAuth2Service} = await load('oauth2-mock-server');

const defaults = () => ({
    // Added to the id_token, over the mock's own (iss, aud, nonce, iat, nbf, exp); null removes a claim.
    claims: {sub: '1089', email: 'ada@example.org', email_verified: true, name: 'Ada'},
    alg: 'RS256',          // or "HS256", keyed with the client's secret, or "none"
    bad_signature: false,
    unknown_kid: false,
    refresh_token: null,   // of the token response; none by default
    discovery: {},         // added to the discovery document; null removes a member
    // By endpoint: discovery, jwks, authorize, token, revoke.
    delay_ms: {},
    fail: {},              // answer with this status
    garbage: {},           // answer 200: true for invalid JSON, "huge" for valid JSON of 5 MB
});
let settings = defaults();

const endpoints = {
    '/.well-known/openid-configuration': 'discovery',
    '/jwks': 'jwks',
    '/authorize': 'authorize',
    '/token': 'token',
    '/revoke': 'revoke',
};
const empty_log = () => ({
    hits: Object.fromEntries(Object.values(endpoints).map(name => [name, 0])),
    authorize: null,   // the last query
    token: null,       // the last form
    revoked: [],       // all tokens, including those with a revocation set to fail
});
let log = empty_log();

const issuer = new OAuth2Issuer();
const service = new OAuth2Service(issuer);
const started = new Map();   // by the code: the query of /authorize
let key;

async function rotate() {
    key = await issuer.keys.generate('RS256');
}

// The key store keeps all keys and rotates among them, so the current key is selected here.
issuer.buildToken = build => OAuth2Issuer.prototype.buildToken.call(issuer, {...build, kid: key.kid});

const is_object = value => value !== null && typeof value === 'object' && !Array.isArray(value);

function merge(into, from) {
    for (const [name, value] of Object.entries(from))
        into[name] = is_object(value) && is_object(into[name]) ? merge({...into[name]}, value) : value;
    return into;
}

const without_nulls = object =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Sign the claims again with a wrong signature, algorithm or key. */
function forge(id_token, secret) {
    const [header, claims, signature] = id_token.split('.');
    if (settings.bad_signature) {
        const noise = randomBytes(Buffer.from(signature, 'base64url').length);
        return `${header}.${claims}.${noise.toString('base64url')}`;
    }
    const {kid} = JSON.parse(Buffer.from(header, 'base64url'));
    const signed = `${encode({typ: 'JWT', alg: settings.alg, kid})}.${claims}`;
    if (settings.alg !== 'HS256')
        return `${signed}.`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

service.on('beforeTokenSigning', ({header, payload}) => {
    if ('scope' in payload)
        return;   // the access token
    const claims = without_nulls({...payload, ...settings.claims});
    for (const name of Object.keys(payload))
        delete payload[name];
    Object.assign(payload, claims);
    if (settings.unknown_kid)
        header.kid = 'unknown';
});

service.on('beforeResponse', ({body}, {headers, body: form}) => {
    delete body.refresh_token;
    if (settings.refresh_token !== null)
        body.refresh_token = settings.refresh_token;
    if (settings.bad_signature || settings.alg !== 'RS256')
        body.id_token = forge(body.id_token, client_of({headers}, form).secret ?? '');
});

service.on('beforeAuthorizeRedirect', ({url}, {query}) => started.set(url.searchParams.get('code'), query));

/** The client credentials of a request, in either form of RFC 6749, 2.3.1. */
function client_of({headers}, form) {
    const [scheme, credentials] = (headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() !== 'basic')
        return {id: form.client_id, secret: form.client_secret};
    const [id, secret] = Buffer.from(credentials, 'base64').toString().split(':').map(decodeURIComponent);
    return {id, secret};
}

function answer(response, status, body) {
    response.writeHead(status, {'Content-Type': 'application/json'});
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const refuse = (response, error, error_description) => answer(response, 400, {error, error_description});

/** Checks of a real provider that the mock lacks. @return the error and its description, or null */
function fault(endpoint, request) {
    if (endpoint === 'authorize' && request.query.code_challenge_method !== 'S256')
        return ['invalid_request', 'code_challenge_method is not S256'];
    if (endpoint !== 'token' || request.body.grant_type !== 'authorization_code')
        return null;
    const start = started.get(request.body.code);
    if (!start)
        return ['invalid_grant', 'unknown code, or used before'];
    started.delete(request.body.code);
    if (!request.body.code_verifier)
        return ['invalid_grant', 'no code_verifier'];
    if (request.body.redirect_uri !== start.redirect_uri)
        return ['invalid_grant', 'another redirect_uri than at the start'];
    const client = client_of(request, request.body);
    if (client.id !== start.client_id)
        return ['invalid_grant', 'another client than at the start'];
    return client.secret ? null : ['invalid_client', 'no client_secret'];
}

function record(endpoint, {query, body}) {
    if (endpoint === 'authorize')
        log.authorize = query;
    if (endpoint === 'token')
        log.token = body;
    if (endpoint === 'revoke')
        log.revoked.push(body.token ?? query.token ?? null);
}

/** Modify the mock's response before it is sent. */
function amend(response, change) {
    response.json = document => {
        delete response.json;
        response.json(change(document));
    };
}

async function serve(request, response) {
    const {pathname, searchParams} = new URL(request.url, issuer.url);
    const endpoint = endpoints[pathname];
    const query = Object.fromEntries(searchParams);
    if (request.method === 'POST')
        request.body = Object.fromEntries(new URLSearchParams(await text(request)));
    if (endpoint) {
        log.hits[endpoint]++;
        record(endpoint, {query, body: request.body ?? {}});
        await sleep(settings.delay_ms[endpoint] ?? 0);
    }
    const status = settings.fail[endpoint];
    if (status)
        return answer(response, status, {error: status < 500 ? 'invalid_grant' : 'server_error'});
    const garbage = settings.garbage[endpoint];
    if (garbage === 'huge')
        return answer(response, 200, {padding: 'x'.repeat(5_000_000)});
    if (garbage)
        return answer(response, 200, '<html>this is no JSON');
    const wrong = fault(endpoint, {query, headers: request.headers, body: request.body ?? {}});
    if (wrong)
        return refuse(response, ...wrong);
    if (endpoint === 'discovery')
        amend(response, document => without_nulls({...document, ...settings.discovery}));
    if (endpoint === 'jwks')
        amend(response, ({keys}) => ({keys: keys.filter(({kid}) => kid === key.kid)}));
    service.requestHandler(request, response);
}

const commands = {
    'GET /log': () => log,
    'POST /reset': () => {
        settings = defaults();
        log = empty_log();
    },
    'POST /set': async request => {
        const {rotate: rotate_key, ...changes} = JSON.parse(await text(request));
        const unknown = Object.keys(changes).filter(name => !(name in settings));
        if (unknown.length)
            throw new Error(`unknown: ${unknown}`);
        merge(settings, changes);
        if (rotate_key)
            await rotate();
    },
};

async function control(request, response) {
    const command = commands[`${request.method} ${request.url}`];
    if (!command)
        return answer(response, 404, {});
    answer(response, 200, await command(request) ?? {});
}

/** Wrap a handler to answer 500 if it throws. */
const guarded = handler => (request, response) =>
    handler(request, response).catch(error => {
        console.error(`oidc: ${error.stack}`);
        if (!response.headersSent)
            answer(response, 500, {error: error.message});
    });

await rotate();
const read_tls = () => ({key: readFileSync(options.key), cert: readFileSync(options.cert)});
const server = options.key ? create_tls_server(read_tls(), guarded(serve)) : createServer(guarded(serve));
const front = await listen(server, options.port);
issuer.url = `${options.key ? 'https' : 'http'}://localhost:${front}`;
report({issuer: issuer.url, control: await listen(createServer(guarded(control)))});
