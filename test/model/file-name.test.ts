import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { safeFileName } from '../../src/model/file-name.js';
import { anyText, SEEDED } from '../support/arbitraries.js';

test('an ordinary name stays as it is', () => {
  for (const name of [
    'ten thousand.bin',
    'Été à Paris (2019).mkv',
    '日本語.txt',
    'a..b',
    'contact.txt',
    '👩‍👩‍👧.png',
  ]) {
    assert.equal(safeFileName(name), name);
  }
});

test('a name cannot leave its folder', () => {
  assert.equal(safeFileName('../../etc/passwd'), '_._.._etc_passwd');
  assert.equal(safeFileName('/etc/passwd'), '_etc_passwd');
  assert.equal(safeFileName('..\\x'), '_._x');
  assert.equal(safeFileName('..'), 'unnamed');
  assert.equal(safeFileName('.'), 'unnamed');
  assert.equal(safeFileName(''), 'unnamed');
  assert.equal(safeFileName('   '), 'unnamed');
});

test('a name cannot plant a hidden file', () => {
  assert.equal(safeFileName('.profile'), '_profile');
  assert.equal(safeFileName('  .profile'), '_profile');
});

test('control and bidirectional characters are replaced', () => {
  assert.equal(safeFileName('a\u0000b\nc\u007fd\u0085e'), 'a_b_c_d_e');
  assert.equal(safeFileName('evil\u202Egpj.exe'), 'evil_gpj.exe');
  assert.equal(safeFileName('a\u2066b\u200Fc\u061Cd\u2028e'), 'a_b_c_d_e');
});

test('Windows device names and endings are avoided', () => {
  assert.equal(safeFileName('CON'), '_CON');
  assert.equal(safeFileName('nul.txt'), '_nul.txt');
  assert.equal(safeFileName('Com1 .log'), '_Com1 .log');
  assert.equal(safeFileName('lpt¹'), '_lpt¹');
  assert.equal(safeFileName('name. . '), 'name');
  // Cutting the name makes it reserved: the check comes after.
  assert.equal(safeFileName(`CON${' '.repeat(300)}x`), '_CON');
});

test('a long name is cut, with room left for what is appended', () => {
  const name = safeFileName('é'.repeat(300));
  assert.equal(name, 'é'.repeat(120));
  assert.ok(Buffer.byteLength(`${name}.part.journal`) <= 255);
});

test('any text gives one harmless entry of one folder', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const name = safeFileName(text);
      assert.ok(name !== '' && name !== '.' && name !== '..');
      assert.doesNotMatch(name, /[/\\\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
      assert.doesNotMatch(name, /^[.\s]|[.\s]$/u);
      assert.ok(Buffer.byteLength(name) <= 255);
      assert.equal(path.dirname(path.resolve('/downloads', name)), '/downloads');
      assert.equal(safeFileName(name), name);
    }),
    { ...SEEDED, numRuns: 2000 },
  );
});
