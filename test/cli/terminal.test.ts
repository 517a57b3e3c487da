import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cutToWidth, escapeText, Terminal, textWidth } from '../../src/cli/terminal.js';
import { FakeScreen } from './fake-screen.js';

const anyText = fc.string({ unit: 'binary', maxLength: 60 });

describe('text of strangers', () => {
  test('shows control, bidirectional and separator characters by their numbers', () => {
    assert.equal(escapeText('a\u001b[2Jb'), 'a\\u{1b}[2Jb');
    assert.equal(escapeText('x\u202etxt.exe'), 'x\\u{202e}txt.exe');
    assert.equal(escapeText('a\nb\rc\u2028d\u009be\u200bf'), 'a\\u{a}b\\u{d}c\\u{2028}d\\u{9b}e\\u{200b}f');
    assert.equal(escapeText('half \ud800'), 'half \\u{d800}');
    assert.equal(escapeText('Größe 日本 🎬.mkv'), 'Größe 日本 🎬.mkv');
  });

  test('never carries anything invisible to the screen', () => {
    fc.assert(
      fc.property(anyText, (text) =>
        assert.doesNotMatch(escapeText(text), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u),
      ),
    );
  });

  test('counts wide characters twice and marks not at all', () => {
    assert.equal(textWidth('abc'), 3);
    assert.equal(textWidth('日本'), 4);
    assert.equal(textWidth('e\u0301'), 1);
    assert.equal(textWidth('🎬'), 2);
  });

  test('is cut to any width, with an ellipsis where something is missing', () => {
    assert.equal(cutToWidth('abcdef', 6), 'abcdef');
    assert.equal(cutToWidth('abcdef', 5), 'abcd…');
    assert.equal(cutToWidth('日本語', 4), '日…');
    assert.equal(cutToWidth('abc', 0), '');
    fc.assert(
      fc.property(anyText, fc.nat(30), (text, columns) =>
        assert.ok(textWidth(cutToWidth(text, columns)) <= columns),
      ),
    );
  });
});

describe('the status line', () => {
  test('is replaced in place, stays below other lines and goes away', () => {
    const screen = new FakeScreen({ isTTY: true, columns: 80 });
    const terminal = new Terminal(screen, { NO_COLOR: '1' });
    terminal.status('one');
    terminal.status('two');
    terminal.line('news');
    terminal.status('');
    assert.equal(screen.written, 'one\r\u001b[Ktwo\r\u001b[Knews\ntwo\r\u001b[K');
  });

  test('is escaped and cut to its room', () => {
    const screen = new FakeScreen({ isTTY: true, columns: 10 });
    new Terminal(screen, {}).status('a\u001bbcdefghijk');
    assert.equal(screen.written, 'a\\u{1b}b…');
  });

  test('is not shown where nothing can be redrawn: no terminal, or a dumb one', () => {
    for (const [isTTY, env] of [
      [false, {}],
      [true, { TERM: 'dumb' }],
    ] as const) {
      const screen = new FakeScreen({ isTTY });
      new Terminal(screen, env).status('one');
      assert.equal(screen.written, '');
    }
  });

  test('leaves the last column free, and is made for 80 columns where they are not known', () => {
    assert.equal(new Terminal(new FakeScreen({ isTTY: true, columns: 40 }), {}).columns, 39);
    assert.equal(new Terminal(new FakeScreen({ isTTY: true, columns: 0 }), {}).columns, 79);
  });
});

test('lines are coloured on a terminal only, and not against NO_COLOR', () => {
  const lineOn = (isTTY: boolean, env: NodeJS.ProcessEnv) => {
    const screen = new FakeScreen({ isTTY });
    new Terminal(screen, env).line('a\u001bb', 'red');
    return screen.written;
  };
  assert.equal(lineOn(true, {}), '\u001b[31ma\\u{1b}b\u001b[0m\n');
  assert.equal(lineOn(true, { NO_COLOR: '' }), '\u001b[31ma\\u{1b}b\u001b[0m\n');
  assert.equal(lineOn(true, { NO_COLOR: '1' }), 'a\\u{1b}b\n');
  assert.equal(lineOn(true, { TERM: 'dumb' }), 'a\\u{1b}b\n');
  assert.equal(lineOn(false, {}), 'a\\u{1b}b\n');
});
