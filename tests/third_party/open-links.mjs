// Opens the {links} of emails one after the other in one tab of a browser, and presses the main button of the last
// page, or the one that the selector {button} finds, after entering {password}. Reports {outcome: the text of the
// page's status or error, address: of the tab, sent: [URLs and referrers that the browser sent], errors: [browser
// errors]}.
import {load, options, report} from './common.mjs';

const {chromium} = (await load('playwright-core')).default;
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
});
const page = await (await browser.newContext({ignoreHTTPSErrors: true})).newPage();
const sent = [], errors = [];
page.on('console', message => {
    // The status of a page with an error is no error of the browser.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        errors.push(message.text());
});
page.on('request', one => sent.push(`${one.url().split('#')[0]} ${one.headers().referer ?? ''}`));
page.on('pageerror', error => errors.push(String(error)));
try {
    for (const link of options.links) {
        await page.goto(link);
        await page.waitForFunction(() => document.readyState === 'complete' && location.hash === '');
    }
    const address = page.url();
    if (options.password)
        await page.fill('#password', options.password);
    await page.locator(options.button ?? 'button.primary').click();
    const status = page.locator('[role=status], [role=alert]');
    await status.filter({hasText: /./}).waitFor();   // of the page that the form leads to
    report({outcome: await status.innerText(), address, sent, errors});
} catch (error) {
    process.stderr.write(String(error) + errors.join() + '\n');
} finally {
    await browser.close();
}
process.exit();
