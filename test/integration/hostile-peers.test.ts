import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { randomChunks } from '../support/base-frame.js';
import {
  breaking,
  firstThen,
  honest,
  impossible,
  lying,
  lyingOnce,
  prose,
  refusing,
  type Script,
  silent,
} from '../support/base-script.js';
import { DownloadScenario, type ScenarioOptions } from '../support/download-scenario.js';
import { seededBytes, seededRandom } from '../support/files.js';

const PART = 262_144;
/** 12 parts, the last one short. */
const content = seededBytes('hostile peers', 11 * PART + 12_345);

async function downloads(
  t: TestContext,
  peers: ScenarioOptions['peers'],
  more: Partial<ScenarioOptions> = {},
): Promise<DownloadScenario> {
  const scenario = await DownloadScenario.start(t, { content, ...more, peers });
  await scenario.assertRight(await scenario.run());
  return scenario;
}

describe('get has the right file in the end', { concurrency: 2 }, () => {
  test('from a node that closes after each answer, with one request a connection', async (t) => {
    const { peers } = await downloads(t, [{ after: 'close' }]);
    // A second request may have crossed the close of each of the first connections, before the habit was known.
    const crossed = peers[0]!.requestsPerConnection.filter((requests) => requests > 1);
    assert.ok(crossed.length <= 4 && Math.max(...crossed, 1) <= 2, `${peers[0]!.requestsPerConnection}`);
    assert.equal(new Set(peers[0]!.asked).size, 12);
    assert.equal(peers[0]!.asked.length, 12);
  });

  test('from a node that keeps connections, over few of them', async (t) => {
    const { peers } = await downloads(t, [{ after: 'again' }]);
    const busiest = Math.max(...peers[0]!.requestsPerConnection);
    assert.ok(busiest > 1, `${peers[0]!.requestsPerConnection}`);
    assert.equal(peers[0]!.asked.length, 12);
  });

  test('from a node that sends segments of one byte', async (t) => {
    const small = content.subarray(0, 20_000);
    await downloads(t, [{ segment: 1 }], { content: small, partSize: 3000 });
  });

  test('from a node whose chunks have any length, also of one byte', async (t) => {
    const script = honest(randomChunks(seededRandom('any length')));
    await downloads(t, [{ script }, { script, after: 'again' }]);
  });

  test('from a node whose chunks are all of one byte', async (t) => {
    const script = honest((length) => Array<number>(length).fill(1));
    await downloads(t, [{ script }], { content: content.subarray(0, 50_000), partSize: 30_000 });
  });

  test('when dead peers are listed', async (t) => {
    await downloads(t, [{}], { dead: 3 });
  });

  test('when one node sends wrong bytes in one part and another is honest', async (t) => {
    const { peers } = await downloads(t, [{ script: lyingOnce() }, {}]);
    assert.ok(peers[1]!.asked.includes(peers[0]!.asked[0]!));
  });

  test('when one node sends wrong bytes in all parts and another is honest', async (t) => {
    await downloads(t, [{ script: lying(() => true) }, {}]);
  });

  test('when two nodes lie about different parts and a third is honest', async (t) => {
    const odd: Script = lying(({ part }) => part % 2 === 1);
    const even: Script = lying(({ part }) => part % 2 === 0);
    await downloads(t, [{ script: odd }, { script: even }, {}]);
  });

  for (const [name, script] of Object.entries({
    'closes without an answer': refusing,
    'answers with a line of prose': prose,
    'closes in the middle of a frame': breaking(100_000, 'close'),
    'resets in the middle of a frame': breaking(100_000, 'reset'),
    'resets in the middle of a header': breaking(7, 'reset'),
    'answers with more chunks than bytes': impossible.moreChunksThanBytes,
    'answers with no chunks': impossible.noChunks,
    'answers with a #chunk that is no number': impossible.countNotANumber,
    'sends an empty chunk': impossible.emptyChunk,
    'sends a chunk longer than the part': impossible.chunkPastTheEnd,
    'sends chunks that sum to less than the part': impossible.sumTooShort,
    'sends chunks that sum to more than the part': impossible.sumTooLong,
  } satisfies Record<string, Script>)) {
    test(`when one node ${name} and another is honest`, async (t) => {
      const { peers } = await downloads(t, [{ script }, { bytesPerSecond: 20_000_000 }]);
      assert.ok(peers[0]!.requestsPerConnection.length > 0, 'the hostile node was never asked');
      assert.equal(new Set(peers[1]!.asked).size, 12);
    });
  }

  test('when one node refuses at first and the other is slow', async (t) => {
    await downloads(t, [{ script: firstThen(2, refusing, honest()) }, { bytesPerSecond: 1_000_000 }]);
  });

  test('when nodes of every kind are mixed', async (t) => {
    await downloads(
      t,
      [
        { after: 'close' },
        { after: 'again', script: honest(randomChunks(seededRandom('mixed'))) },
        { script: lying(({ part }) => part === 3 || part === 7) },
        { script: breaking(60_000, 'reset') },
        { script: prose },
        { script: impossible.sumTooLong },
        { script: silent },
      ],
      { dead: 2 },
    );
  });
});

describe('get passes over nodes that keep it waiting', { concurrency: true }, () => {
  test('that never answer', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{ script: silent }, {}] });
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.ok(result.seconds < 15, `${result.seconds} s with an idle owner beside`);
  });

  test('that stall in the middle of a frame', async (t) => {
    const script = breaking(100_000, 'hang');
    const scenario = await DownloadScenario.start(t, { content, peers: [{ script }, {}] });
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.ok(result.seconds < 14, `${result.seconds} s with an idle owner beside`);
  });

  test('that trickle', async (t) => {
    const peers = [{ bytesPerSecond: 2000 }, { bytesPerSecond: 2_000_000 }];
    const scenario = await DownloadScenario.start(t, { content, peers });
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.ok(result.seconds < 25, `${result.seconds} s with a fast owner beside`);
  });

  test('that leave connections open and read no second request', async (t) => {
    const scenario = await DownloadScenario.start(t, { content, peers: [{ after: 'ignore' }, {}] });
    const result = await scenario.run();
    await scenario.assertRight(result);
    assert.ok(result.seconds < 15, `${result.seconds} s with an idle owner beside`);
  });
});
