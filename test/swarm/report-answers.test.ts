import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReportAnswers } from '../../src/swarm/report-answers.js';

const THREE = Buffer.from('APAD00000001APAD00000002APAD00000003');

test('answers that break anywhere are counted, and exactly what is lacking is wanted', () => {
  for (let at = 1; at < THREE.length; at++) {
    const answers = new ReportAnswers(3);
    assert.equal(answers.wanted, 36);
    assert.equal(answers.push(THREE.subarray(0, at)), null);
    assert.equal(answers.wanted, 36 - at);
    assert.equal(answers.push(THREE.subarray(at)), 3);
    assert.equal(answers.wanted, 0);
  }
});

test('of answers that are cut short the whole ones count', () => {
  const answers = new ReportAnswers(3);
  answers.push(THREE.subarray(0, 35));
  assert.equal(answers.end(), 2);
});

test('another answer among them is an error', () => {
  const answers = new ReportAnswers(2);
  assert.throws(() => answers.push(Buffer.from('APAD00000001AADR00000001')), { code: 'MALFORMED' });
});
