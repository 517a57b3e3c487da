import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { systemClock } from '../../src/core/clock.js';
import { RequestPipeline, type RequestPipelineInit } from '../../src/net/request-pipeline.js';
import { atEnd } from '../support/clean-up.js';
import { type Expectation, ExpectedAnswer } from './expected-answer.js';
import { type Script, ScriptedNode } from './scripted-node.js';

export interface PipelineRig {
  readonly node: ScriptedNode;
  readonly pipeline: RequestPipeline;
  /** How often room was announced. */
  rooms(): number;
  submit(request: string, expectation?: Expectation): ExpectedAnswer;
}

/** A pipeline to a scripted node, of one connection unless told otherwise. */
export async function pipelineTo(
  t: TestContext,
  script: Script,
  more: Partial<RequestPipelineInit> = {},
): Promise<PipelineRig> {
  const node = await ScriptedNode.start(t, script);
  let rooms = 0;
  const pipeline = new RequestPipeline({
    hosts: ['127.0.0.1'],
    port: node.port,
    clock: systemClock,
    maxConnections: 1,
    depth: 4,
    queueLimit: 1_000,
    onRoom: () => rooms++,
    ...more,
  });
  atEnd(t, () => pipeline.close());
  const submit = (request: string, expectation: Expectation = {}) => {
    const answer = new ExpectedAnswer(request, 4, expectation);
    pipeline.submit(answer);
    return answer;
  };
  return { node, pipeline, rooms: () => rooms, submit };
}

/** Requests whose text is their number. */
export function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, n) => String(from + n).padStart(4, '0'));
}

/** Each answer is whole, its own, and ended once. */
export async function assertAnswered(answers: readonly ExpectedAnswer[]): Promise<void> {
  for (const answer of answers) assert.equal(await answer.over, null);
  for (const answer of answers) {
    assert.equal(answer.text, Buffer.from(answer.request).toString());
    assert.equal(answer.ends, 1);
  }
}
