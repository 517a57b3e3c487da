import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { SHORTEST, WRONG_PARTS } from './bottleneck.js';
import { graph, stat } from './panel.js';
import {
  ALERTS,
  gauge,
  increase,
  increaseOfSome,
  quantile,
  rate,
  rateOfSome,
  ratio,
  sum,
  UP,
} from './query.js';

const PARTS_PER_SECOND = 'suffix:parts/s';

export const SEEDBOX = board({
  title: 'Seedbox',
  description: 'What daemons share, send and download.',
  instancesWith: 'bugtorrent_library_files',
  rows: [
    {
      title: 'Is it well, and if not, what is short?',
      panels: [
        stat({
          title: 'All reached',
          description: 'Whether Prometheus reaches every daemon. No: is it running, and its --http open?',
          unit: units.BoolYesNo,
          expr: UP,
          limits: { yellow: 1, red: 0.5 },
        }),
        stat({
          title: 'Alerts',
          description: 'Alerts that fire now; Prometheus names them, and says what to do.',
          unit: units.Short,
          expr: ALERTS,
          limits: { yellow: 1, red: 2 },
        }),
        stat({
          title: 'Trackers away',
          description: 'Trackers that a daemon has no login at: nobody finds it there.',
          unit: units.Short,
          expr: sum(gauge('bugtorrent_trackers', 'status!="logged-in"')),
          limits: { yellow: 1, red: 2 },
        }),
        stat({
          title: 'Bottleneck',
          description:
            'What everything else waits for now, and how much of it is taken; the Engine dashboard shows the rest.',
          unit: units.PercentUnit,
          expr: SHORTEST,
          legend: '{{resource}}',
        }),
        stat({
          title: 'Sent',
          description: 'Bytes of files that are sent a second.',
          unit: units.BytesPerSecondSI,
          expr: sum(rate('bugtorrent_payload_bytes_total', 'direction="upload"')),
        }),
        stat({
          title: 'Peers without a slot',
          description:
            'Peers that want an upload slot and have none. Many, with uplink to spare: raise --slots.',
          unit: units.Short,
          expr: sum(gauge('bugtorrent_upload_peers_waiting')),
          limits: { yellow: 10, red: 100 },
        }),
        stat({
          title: 'Least disk space',
          description: 'Share of the fullest file system, of those that folders lie on, which is free.',
          unit: units.PercentUnit,
          expr: `min(${gauge('bugtorrent_disk_free_bytes')} / ${gauge('bugtorrent_disk_size_bytes')})`,
          limits: { yellow: 0.1, red: 0.03 },
        }),
        stat({
          title: 'Wrong parts, 1 h',
          description:
            'Parts that came in the last hour and did not verify: a peer lies, or a network or memory is bad.',
          unit: units.Short,
          expr: WRONG_PARTS,
          limits: { yellow: 1, red: 100 },
        }),
      ],
    },
    {
      title: 'Throughput',
      panels: [
        graph({
          title: 'Bytes of files',
          description: 'What is sent and received, without the protocol around it.',
          unit: units.BytesPerSecondSI,
          queries: [
            { expr: sum(rate('bugtorrent_payload_bytes_total'), 'direction'), legend: '{{direction}}' },
          ],
        }),
        graph({
          title: 'Protocol overhead',
          description: 'Bytes of the protocol for each byte of files, by direction.',
          unit: units.PercentUnit,
          queries: ['upload', 'download'].map((direction) => ({
            expr: ratio(
              sum(rate('bugtorrent_overhead_bytes_total', `direction="${direction}"`)),
              sum(rate('bugtorrent_payload_bytes_total', `direction="${direction}"`)),
            ),
            legend: direction,
          })),
        }),
        graph({
          title: 'Wasted bytes',
          description:
            'Bytes of parts that came and were of no use: came twice, were cut off, or did not verify.',
          unit: units.BytesPerSecondSI,
          queries: [{ expr: sum(rate('bugtorrent_wasted_bytes_total'), 'reason'), legend: '{{reason}}' }],
        }),
        graph({
          title: 'Files sent most',
          description: 'Bytes by the MD5 of the file; empty unless the daemon runs with --metrics-files.',
          unit: units.BytesPerSecondSI,
          isStacked: true,
          width: 24,
          queries: [{ expr: sum(rate('bugtorrent_file_sent_bytes_total'), 'file'), legend: '{{file}}' }],
        }),
      ],
    },
    {
      title: 'Upload slots',
      panels: [
        graph({
          title: 'Slots',
          description: 'All slots, those in use, and the one for a peer that has given nothing yet.',
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_upload_slots')), legend: 'there are' },
            { expr: sum(gauge('bugtorrent_upload_slots_in_use')), legend: 'in use' },
            { expr: sum(gauge('bugtorrent_upload_slots_optimistic')), legend: 'optimistic' },
          ],
        }),
        graph({
          title: 'Queue',
          description: 'Requests for parts and peers that wait for a slot, and parts on their way from disk.',
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_upload_requests_queued')), legend: 'requests' },
            { expr: sum(gauge('bugtorrent_upload_peers_waiting')), legend: 'peers' },
            { expr: sum(gauge('bugtorrent_upload_parts_loading')), legend: 'parts loading' },
          ],
        }),
        graph({
          title: 'Wait for a slot',
          description: 'From a request for a part to its slot. After 30 s a request is refused.',
          unit: units.Seconds,
          queries: [
            { expr: quantile(0.5, 'bugtorrent_upload_slot_wait_seconds'), legend: 'median' },
            { expr: quantile(0.95, 'bugtorrent_upload_slot_wait_seconds'), legend: '95 %' },
          ],
        }),
        graph({
          title: 'Parts sent',
          description: 'Parts that were sent whole.',
          unit: PARTS_PER_SECOND,
          queries: [{ expr: sum(rate('bugtorrent_upload_parts_total')), legend: 'sent' }],
        }),
        graph({
          title: 'Refused requests',
          description: 'Requests for parts that were refused, by reason.',
          unit: units.RequestsPerSecond,
          queries: [
            { expr: rateOfSome('bugtorrent_upload_refused_total', ['reason']), legend: '{{reason}}' },
          ],
        }),
        graph({
          title: 'Peers',
          description:
            'Peers by what they do: uploading and waiting are peers we upload to, all else those of downloads.',
          unit: units.Short,
          isStacked: true,
          queries: [{ expr: sum(gauge('bugtorrent_swarm_peers'), 'state'), legend: '{{state}}' }],
        }),
      ],
    },
    {
      title: 'Downloads',
      panels: [
        graph({
          title: 'Parts asked for',
          description: 'What became of them: verified ones count, wrong and duplicate ones came for nothing.',
          unit: PARTS_PER_SECOND,
          queries: [{ expr: rateOfSome('bugtorrent_swarm_parts_total', ['result']), legend: '{{result}}' }],
        }),
        graph({
          title: 'Time to fetch a part',
          description: 'From the request until the part had landed.',
          unit: units.Seconds,
          queries: [
            { expr: quantile(0.5, 'bugtorrent_swarm_fetch_seconds'), legend: 'median' },
            { expr: quantile(0.95, 'bugtorrent_swarm_fetch_seconds'), legend: '95 %' },
          ],
        }),
        graph({
          title: 'Downloads, and peers banned',
          description: 'Downloads that run; peers banned in the last hour, by what they did.',
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_swarm_downloads')), legend: 'downloads' },
            {
              expr: sum(increase('bugtorrent_swarm_bans_total', '1h'), 'reason'),
              legend: 'banned: {{reason}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'Library and disk',
      panels: [
        graph({
          title: 'Files',
          description: 'Files that are shared, and those that are not yet.',
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_library_files')), legend: 'shared' },
            { expr: sum(gauge('bugtorrent_library_files_hashing')), legend: 'being hashed' },
            { expr: sum(gauge('bugtorrent_library_files_queued')), legend: 'waiting to be hashed' },
            { expr: sum(gauge('bugtorrent_library_files_unsettled')), legend: 'changed lately' },
            {
              expr: increaseOfSome('bugtorrent_library_errors_total', '1h', 'reason'),
              legend: 'failed in 1 h: {{reason}}',
            },
          ],
        }),
        graph({
          title: 'Bytes shared',
          description: 'Size of all files that are shared, and of those that are not hashed yet.',
          unit: units.BytesSI,
          queries: [
            { expr: sum(gauge('bugtorrent_library_bytes')), legend: 'shared' },
            { expr: sum(gauge('bugtorrent_library_bytes_queued')), legend: 'left to hash' },
          ],
        }),
        graph({
          title: 'Free disk space',
          description: 'Where each folder lies, for the user that the daemon runs as.',
          unit: units.BytesSI,
          queries: [
            {
              expr: `min by (instance, folder) (${gauge('bugtorrent_disk_free_bytes')})`,
              legend: '{{instance}} {{folder}}',
            },
          ],
        }),
      ],
    },
  ],
});
