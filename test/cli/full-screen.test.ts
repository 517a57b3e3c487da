import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { FullScreen } from '../../src/cli/full-screen.js';

class FakeDisplay extends EventEmitter {
  columns = 20;
  rows = 4;
  readonly writes: string[] = [];

  write(text: string): void {
    this.writes.push(text);
  }
}

class FakeKeyboard extends EventEmitter {
  isRaw = false;
  isRead = false;

  setRawMode(raw: boolean): void {
    this.isRaw = raw;
  }

  resume(): void {
    this.isRead = true;
  }

  pause(): void {
    this.isRead = false;
  }
}

function opened() {
  const [display, keyboard, host] = [new FakeDisplay(), new FakeKeyboard(), new EventEmitter()];
  const seen = { keys: '', redraws: 0 };
  const screen = new FullScreen({
    ...{ display, keyboard, host, colours: true },
    onKeys(keys) {
      seen.keys += keys;
    },
    onRedraw() {
      seen.redraws += 1;
    },
  });
  screen.enter();
  return { display, keyboard, host, seen, screen };
}

const listeners = (...emitters: EventEmitter[]) =>
  emitters.flatMap((each) => each.eventNames().map((name) => each.listenerCount(name)));

test('the terminal is as before when the screen is left, and once only', () => {
  const { display, keyboard, host, screen } = opened();
  assert.match(display.writes[0]!, /\?1049h.*\?25l/);
  assert.deepEqual([keyboard.isRaw, keyboard.isRead], [true, true]);
  screen.leave();
  screen.leave();
  assert.equal(display.writes.length, 2);
  assert.match(display.writes[1]!, /\?25h.*\?1049l/);
  assert.deepEqual([keyboard.isRaw, keyboard.isRead], [false, false]);
  assert.deepEqual(listeners(display, keyboard, host), []);
});

test('a process that ends without leaving gives the terminal back', () => {
  const { display, host, keyboard } = opened();
  host.emit('exit');
  assert.match(display.writes.at(-1)!, /\?25h.*\?1049l/);
  assert.equal(keyboard.isRaw, false);
});

test('a frame is one write, none when nothing changed, and one again after another size', () => {
  const { display, screen, seen } = opened();
  screen.draw([{ text: 'one' }, { text: 'two', style: 'selected' }]);
  screen.draw([{ text: 'one' }, { text: 'two', style: 'selected' }]);
  assert.equal(display.writes.length, 2);
  display.emit('resize');
  assert.equal(seen.redraws, 1);
  screen.draw([{ text: 'one' }, { text: 'two', style: 'selected' }]);
  assert.equal(display.writes.length, 3);
});

test('lines are cut to the size of the terminal, and nothing in them is obeyed', () => {
  const { display, screen } = opened();
  screen.draw(Array.from({ length: 9 }, () => ({ text: `\u001b[2J${'x'.repeat(50)}` })));
  const frame = display.writes[1]!;
  assert.equal(frame.split('\r\n').length, 4);
  assert.ok(!frame.includes('\u001b[2J'));
  assert.ok(frame.includes('\\u{1b}[2Jxxxxxxxxx…\u001b[K'), JSON.stringify(frame));
});

test('keys are handed on while the screen is shown', () => {
  const { keyboard, screen, seen } = opened();
  keyboard.emit('data', Buffer.from('j\u001b[A'));
  screen.leave();
  keyboard.emit('data', Buffer.from('q'));
  assert.equal(seen.keys, 'j\u001b[A');
});
