// Chromium, and pages that record what they must not do.
import assert from 'node:assert/strict';
import {load} from './packages.mjs';
import {password} from './server.mjs';

const {chromium} = (await load('playwright-core')).default;

export const launch = () => chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking',
           // Pictures are the same on every machine.
           '--font-render-hinting=none', '--disable-lcd-text', '--force-color-profile=srgb'],
});

export const wide = {width: 1280, height: 900};

/**
 * A context with one page. `faults` collects requests off the origin, errors of scripts and of the console, and
 * violations of the content security policy, of all pages of the context. Responses from 400 on are errors too,
 * unless `allow(status, path)` has said that the test causes them.
 */
export async function open(browser, server, options = {}) {
    const context = await browser.newContext({viewport: wide, locale: 'en-US', reducedMotion: 'reduce', ...options});
    context.setDefaultTimeout(20_000);
    const faults = [], allowed = [];
    await context.exposeBinding('reportViolation', (_, text) => faults.push(`policy: ${text}`));
    await context.addInitScript(() => addEventListener('securitypolicyviolation', event =>
        window.reportViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`)));
    context.on('request', request => {
        const url = request.url();
        if (!url.startsWith(`${server.origin}/`) && !/^(data|blob|about):/.test(url))
            faults.push(`request: ${url}`);
    });
    context.on('weberror', error => faults.push(`script: ${error.error()}`));
    context.on('console', message => {
        if (message.type() !== 'error')
            return;
        const status = Number(/Failed to load resource: .* status of (\d+)/.exec(message.text())?.[1]);
        const {url} = message.location();
        const path = URL.canParse(url) ? new URL(url).pathname : url;
        if (!allowed.some(one => one.status === status && one.path === path))
            faults.push(`console: ${message.text()} ${url}`);
    });
    const page = await context.newPage();
    return {context, page, faults, allow: (status, path) => allowed.push({status, path})};
}

export const assertFaultless = faults => assert.deepEqual(faults, []);

/** Give a context the session of an account, as the sign-in page would. */
export async function signIn(context, server, email) {
    const {access_token: token} = await server.call('POST', '/login', {body: {email, password}});
    const response = await fetch(`${server.origin}/session`, {
        method: 'POST', headers: {Authorization: `Bearer ${token}`, Origin: server.origin}});
    assert.equal(response.status, 204);
    const [, name, value] = /^(\w+)=([^;]+)/.exec(response.headers.get('Set-Cookie'));
    await context.addCookies([{name, value, url: server.origin, httpOnly: true, sameSite: 'Lax'}]);
    return token;
}

/** Wait for a screen. */
export async function arrive(page, heading) {
    await page.getByRole('heading', {level: 1, name: heading}).waitFor();
    await page.waitForFunction(() => !document.querySelector('.loading'));
}

export const button = (within, name) => within.getByRole('button', {name, exact: true}).first();
export const link = (within, name) => within.getByRole('link', {name, exact: true}).first();
export const field = (within, label) => within.getByLabel(label, {exact: true});
export const dialog = page => page.getByRole('dialog');
/** A screen's link in the sidebar. */
export const screenLink = (page, name) => link(page.getByRole('navigation', {name: 'Console'}), name);
export const toast = (page, text) => page.locator('.toast', {hasText: text}).waitFor();

/** Wait until a control has the focus: it moves after what the page shows. */
export async function waitForFocus(control) {
    await control.page().waitForFunction(element => element === document.activeElement, await control.elementHandle());
}
