// The headers that confine pages, console, assets and errors.
import assert from 'node:assert/strict';
import {request} from 'node:http';
import {after, before, test} from 'node:test';
import {Server} from './support/server.mjs';

let server;

before(async () => {
    server = await Server.start();
});

after(async () => {
    await server?.stop();
});

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    + "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    + "frame-ancestors 'none'";
const trustedTypes = "; require-trusted-types-for 'script'; trusted-types 'none'";

const ofPages = {
    'content-security-policy': policy + trustedTypes,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), '
        + 'geolocation=(), microphone=(), payment=(), usb=()',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
};

/** A call with headers of a browser, which `fetch` would not send. @return {Promise<{status, headers, body}>} */
const call = (method, path, {headers = {}, body} = {}) => new Promise((done, fail) => {
    const sent = request(server.origin + path, {method, headers: {Accept: 'text/html', ...headers}}, response => {
        let text = '';
        response.setEncoding('utf8').on('data', data => text += data);
        response.on('end', () => done({status: response.statusCode, headers: response.headers, body: text}));
    });
    sent.once('error', fail);
    sent.end(body);
});

/** Each header is there once, word by word: node joins repeated ones by a comma. */
function assertHeaders(response, expected, what) {
    const found = Object.fromEntries(Object.keys(expected).map(name => [name, response.headers[name]]));
    assert.deepEqual(found, expected, what);
}

const ownForm = {'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded'};

test('pages, their refusals, the console and error pages', async () => {
    const all = [
        ...['/sign-in', '/sign-up', '/sign-out', '/forgot', '/reset', '/verify', '/email-change', '/invite', '/claim',
            '/unsubscribe', '/check-mail', '/done?what=signed-in'].map(path => [200, 'GET', path]),
        [200, 'GET', '/console'], [200, 'GET', '/console/any/thing'],
        [404, 'GET', '/no/such/page'], [404, 'GET', '/done?what=nothing'], [405, 'DELETE', '/sign-in'],
        [422, 'POST', '/sign-in', {headers: ownForm, body: 'email=a%40example.com&password=wrong'}],
        [415, 'POST', '/sign-in', {headers: {...ownForm, 'Content-Type': 'text/plain'}, body: 'x'}],
        [403, 'POST', '/sign-in', {headers: {...ownForm, 'Sec-Fetch-Site': 'cross-site'}, body: 'email=a'}],
    ];
    for (const [status, method, path, options] of all) {
        const response = await call(method, path, options);
        const what = `${method} ${path}: ${status}`;
        assert.equal(response.status, status, what);
        assert.equal(response.headers['content-type'], 'text/html; charset=utf-8', what);
        assertHeaders(response, ofPages, what);
        assert.doesNotMatch(response.body, /<script(?![^>]* src=)|\son\w+=|\sstyle=|<style/, what);
    }
});

test('the reference is confined but for trusted types, which its package does not support', async () => {
    const response = await call('GET', '/docs');
    assert.equal(response.status, 200);
    const {'content-security-policy': found, ...others} = response.headers;
    assert.ok([policy, policy + trustedTypes].includes(found), found);
    for (const name of ['cross-origin-opener-policy', 'cross-origin-resource-policy', 'permissions-policy',
                        'referrer-policy', 'x-content-type-options'])
        assert.equal(others[name], ofPages[name], name);
});

test('assets are immutable, compressed, and run nothing by themselves', async () => {
    const pages = await Promise.all(['/sign-in', '/console', '/docs'].map(path => call('GET', path)));
    const assets = new Set(pages.flatMap(({body}) =>
        [...body.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(match => match[1])));
    assert.ok(assets.size > 20);
    for (const path of assets) {
        const response = await call('GET', path, {headers: {'Accept-Encoding': 'br'}});
        assert.equal(response.status, 200, path);
        assertHeaders(response, {
            'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
            'cross-origin-resource-policy': 'same-origin',
            'x-content-type-options': 'nosniff',
            'cache-control': 'public, max-age=31536000, immutable',
            'content-encoding': 'br',
            vary: 'Accept-Encoding',
        }, path);
        assert.match(response.headers['content-type'],
                     /^(text\/css|text\/javascript|image\/svg\+xml|application\/json)/, path);
    }
});

test('programs get no HTML, and no answer of theirs is a page', async () => {
    for (const path of ['/api/v1/users/none', '/api/v1/users/me', '/.well-known/none', '/session/none', '/mcp/none']) {
        const response = await call('GET', path);
        assert.ok([401, 404, 405].includes(response.status), path);
        assert.match(response.headers['content-type'], /json/, path);
        assert.equal(response.headers['x-content-type-options'], 'nosniff', path);
    }
});
