import type { Page } from 'playwright-core';

/** Runs in the browser: what an operator could not read of the panels. */
const TROUBLES = `[...document.querySelectorAll('.panel')].flatMap((panel) => {
  const title = panel.querySelector('.title').textContent;
  const box = panel.getBoundingClientRect();
  const troubles = [];
  if (panel.querySelector('.mark') === null) troubles.push(title + ': empty');
  for (const cut of panel.querySelectorAll('.title, .legend')) {
    if (cut.scrollWidth > cut.clientWidth || cut.scrollHeight > cut.clientHeight) {
      troubles.push(title + ': no room for ' + cut.textContent);
    }
  }
  const texts = [...panel.querySelectorAll('text')].map((text) => ({ text, at: text.getBoundingClientRect() }));
  for (const { text, at } of texts) {
    if (at.left < box.left || at.right > box.right || at.top < box.top || at.bottom > box.bottom) {
      troubles.push(title + ': outside is ' + text.textContent);
    }
  }
  for (const [i, { text, at }] of texts.entries()) {
    for (const { text: other, at: by } of texts.slice(i + 1)) {
      if (at.left < by.right && by.left < at.right && at.top < by.bottom && by.top < at.bottom) {
        troubles.push(title + ': ' + text.textContent + ' lies on ' + other.textContent);
      }
    }
  }
  return troubles;
})`;

/** Which panels of a drawn dashboard are empty, or have text that is cut off or lies on other text. */
export async function unreadable(page: Page): Promise<string[]> {
  return (await page.evaluate(TROUBLES)) as string[];
}
