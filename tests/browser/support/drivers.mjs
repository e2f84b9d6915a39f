// Two ways to use a page: by mouse, and by keyboard alone. A control is given as a locator.
import assert from 'node:assert/strict';

export class Mouse {
    constructor(page) {
        this.page = page;
    }

    press(control) {
        return control.click();
    }

    async type(control, text) {
        await control.click();
        await control.fill(text);
    }

    tick(control) {
        return control.check();
    }

    choose(control, value) {
        return control.selectOption(value);
    }
}

/** The largest number of controls on a page. */
const most = 150;

/** Keys alone: every control is reached by Tab, from where the focus is, and its focus is seen. */
export class Keyboard {
    constructor(page) {
        this.page = page;
    }

    async reach(control) {
        await control.waitFor();
        const passed = [];
        for (let steps = 0; steps < most; ++steps) {
            const at = await control.evaluate(target => {
                const element = document.activeElement;
                const box = target.getBoundingClientRect();
                return {
                    isReached: element === target,
                    name: element?.getAttribute('aria-label') ?? element?.textContent?.trim().slice(0, 30),
                    isSeen: getComputedStyle(target).outlineStyle !== 'none' && box.width > 0 && box.bottom > 0 &&
                        box.top < innerHeight,
                };
            });
            if (at.isReached) {
                assert.ok(at.isSeen, `the focus on ${control} is not seen`);
                return;
            }
            passed.push(at.name);
            await this.page.keyboard.press('Tab');
        }
        assert.fail(`Tab does not reach ${control}; it passes ${[...new Set(passed)].join(' | ')}`);
    }

    async press(control) {
        await this.reach(control);
        await this.page.keyboard.press('Enter');
    }

    async type(control, text) {
        await this.reach(control);
        await this.page.keyboard.press('Control+A');
        await this.page.keyboard.type(text);
    }

    async tick(control) {
        await this.reach(control);
        await this.page.keyboard.press('Space');
        assert.ok(await control.isChecked());
    }

    async choose(control, value) {
        await this.reach(control);
        const steps = await control.evaluate((select, wanted) =>
            [...select.options].findIndex(one => one.value === wanted) - select.selectedIndex, value);
        for (let step = 0; step < Math.abs(steps); ++step)
            await this.page.keyboard.press(steps > 0 ? 'ArrowDown' : 'ArrowUp');
        assert.equal(await control.inputValue(), value);
    }
}
