import { Seedbox, type SeedboxOptions } from '../daemon/seedbox.js';
import type { HostPort } from '../model/address.js';
import { ConfigFollower, type Following } from './follow-config.js';
import { counted } from './quantity.js';
import { listening, type Service } from './serve.js';

/** Files named one by one when they become unavailable; of more, the number is said. */
const NAMED = 20;

export interface SeedboxService extends Service {
  readonly address: HostPort;
  readonly seedbox: Seedbox;
}

/** A seedbox that listens and keeps to the config file's limits; when it stops it says which files nobody has any more. */
export async function startSeedbox(options: SeedboxOptions, following: Following): Promise<SeedboxService> {
  const { output } = following;
  const seedbox = new Seedbox(options);
  const follower = new ConfigFollower(following, seedbox);
  const address = await listening(options.listen, '--listen', () => seedbox.start()).catch(
    (error: unknown) => {
      follower.stop();
      throw error;
    },
  );
  return {
    address,
    seedbox,
    stats: () => seedbox.stats(),
    async stop() {
      follower.stop();
      const { unavailable } = await seedbox.stop();
      for (const { name, md5 } of unavailable.slice(0, NAMED)) {
        output.tell(
          `unavailable from now on: ${name} (${md5}), of which nobody else has every part`,
          'yellow',
        );
      }
      const rest = unavailable.length - NAMED;
      if (rest > 0) output.tell(`unavailable from now on: ${counted(rest, 'more file')}`, 'yellow');
    },
  };
}
