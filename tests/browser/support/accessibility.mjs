// What every page has to be, in each theme, language and width.
import assert from 'node:assert/strict';
import {load} from './packages.mjs';

// Its builder for Playwright opens a page for each analysis, which takes longer than the analysis.
const {source} = (await load('axe-core')).default;

/** 320 pixels are the narrowest screen of WCAG 2.2 (1.4.10); 640 are what 1280 are at a zoom of 200 %. */
export const widths = [{width: 1280, height: 900}, {width: 768, height: 1024}, {width: 640, height: 450},
                       {width: 360, height: 740}, {width: 320, height: 512}];

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Axe has nothing to say. @param {string} what names the page in the failure  @param {string[]} [without] rules */
export async function assertAccessible(page, what, without = []) {
    if (!await page.evaluate(() => 'axe' in window))
        await page.evaluate(source);
    const {violations} = await page.evaluate(([values, rules]) => window.axe.run(document, {
        runOnly: {type: 'tag', values}, resultTypes: ['violations'],
        rules: Object.fromEntries(rules.map(rule => [rule, {enabled: false}])),
    }), [tags, without]);
    assert.deepEqual(violations.map(one => [what, one.id, one.nodes.map(node => node.html).slice(0, 3)]), []);
}

/**
 * Nothing scrolls sideways, and no control is too small for a finger: 24 pixels (WCAG 2.2, 2.5.8), with its label, but
 * for links in a text.
 */
export async function assertNoOverflow(page, what) {
    const found = await page.evaluate(() => ({
        isTooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
        small: [...document.querySelectorAll('button, select, input:not(.hidden), summary')]
            .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect(),
                         one.labels?.[0]?.getBoundingClientRect()])
            .filter(([, box, label]) => box.width > 1 && box.height < 24 && !(box.height >= 18 && label?.height >= 24))
            .map(([html]) => html),
    }));
    assert.deepEqual(found, {isTooWide: false, small: []}, `${what} at ${page.viewportSize().width} pixels`);
}
