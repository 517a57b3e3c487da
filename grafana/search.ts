import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, stat } from './panel.js';
import { ALERTS, gauge, rate, rateOfSome, ratio, sum, UP } from './query.js';

const FAN_OUT = ratio(
  sum(rate('bugtorrent_search_forwarded_total')),
  sum(rate('bugtorrent_search_spread_total')),
);
const RECEIVED = sum(rate('bugtorrent_search_received_total'));

export const SEARCH = board({
  title: 'Search',
  description: 'How trackers pass searches on to each other.',
  instancesWith: 'bugtorrent_search_received_total',
  rows: [
    {
      title: 'Is it well, and if not, what is short?',
      panels: [
        stat({
          title: 'All reached',
          description: 'Whether Prometheus reaches every tracker. No: is it running, and its --http open?',
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
          title: 'Neighbours',
          description:
            'Neighbours that can be asked, of the tracker that has fewest. None: searches end there; give --neighbour.',
          unit: units.Short,
          expr: `min(${sum(gauge('bugtorrent_search_neighbours', 'state=~"kept|plain"'), 'instance')})`,
          limits: { yellow: 2, red: 1 },
        }),
        stat({
          title: 'Neighbours away',
          description: 'Neighbours that cannot be reached now.',
          unit: units.Short,
          expr: sum(gauge('bugtorrent_search_neighbours', 'state="away"')),
          limits: { yellow: 1, red: 5 },
        }),
        stat({
          title: 'Queries',
          description: 'Queries and requests for neighbours that come, a second.',
          unit: units.RequestsPerSecond,
          expr: RECEIVED,
        }),
        stat({
          title: 'Duplicates',
          description:
            'Share of what comes that had come before by another way: the price of finding files around a break. Over 90 %: too many neighbours know each other.',
          unit: units.PercentUnit,
          expr: ratio(sum(rate('bugtorrent_search_duplicate_total')), RECEIVED),
          limits: { yellow: 0.9, red: 0.98 },
        }),
        stat({
          title: 'Dropped',
          description: 'Messages that went no further, a second; the reasons are below.',
          unit: units.MessagesPerSecond,
          expr: sum(rate('bugtorrent_search_dropped_total')),
        }),
        stat({
          title: 'Fan-out',
          description:
            'Neighbours that a forwarded message is sent to, on average: the more, the more a search costs all trackers.',
          unit: units.Short,
          expr: FAN_OUT,
        }),
      ],
    },
    {
      title: 'Messages',
      panels: [
        graph({
          title: 'What comes',
          description: 'Queries and requests for neighbours, and those of them that had come before.',
          unit: units.MessagesPerSecond,
          queries: [
            { expr: RECEIVED, legend: 'received' },
            { expr: sum(rate('bugtorrent_search_duplicate_total')), legend: 'duplicate' },
          ],
        }),
        graph({
          title: 'What goes on',
          description: 'Copies sent to neighbours, copies that keyword filters spared, and answers.',
          unit: units.MessagesPerSecond,
          queries: [
            { expr: sum(rate('bugtorrent_search_forwarded_total')), legend: 'forwarded' },
            { expr: sum(rate('bugtorrent_search_filtered_total')), legend: 'filtered' },
            { expr: sum(rate('bugtorrent_search_answers_total')), legend: 'answers' },
          ],
        }),
        graph({
          title: 'What goes no further',
          description:
            'Messages by why they were not passed on; most are limits of how much one sender may ask for.',
          unit: units.MessagesPerSecond,
          queries: [
            { expr: rateOfSome('bugtorrent_search_dropped_total', ['reason']), legend: '{{reason}}' },
          ],
        }),
      ],
    },
    {
      title: 'Neighbours',
      panels: [
        graph({
          title: 'By state',
          description:
            'kept: has a connection; plain: takes one request a connection; the others cannot be asked now.',
          unit: units.Short,
          isStacked: true,
          width: 12,
          queries: [{ expr: sum(gauge('bugtorrent_search_neighbours'), 'state'), legend: '{{state}}' }],
        }),
        graph({
          title: 'Fan-out',
          description:
            'Neighbours that a forwarded message is sent to, on average; 0 when none is forwarded.',
          unit: units.Short,
          width: 12,
          queries: [{ expr: FAN_OUT, legend: 'neighbours' }],
        }),
      ],
    },
  ],
});
