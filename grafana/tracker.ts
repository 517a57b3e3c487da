import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph, stat } from './panel.js';
import { ALERTS, busiestLoop, gauge, increase, quantile, rate, rateOfSome, ratio, sum, UP } from './query.js';

const REQUESTS = sum(rate('bugtorrent_tracker_requests_total'));
const TRACKER_SIDE = 'listener="tracker"';

export const TRACKER = board({
  title: 'Tracker',
  description: 'Who is logged in at trackers, what they ask, and how fast they are answered.',
  instancesWith: 'bugtorrent_tracker_sessions',
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
          title: 'Store away',
          description:
            'Trackers that cannot reach what they keep their state in; what needs it is refused meanwhile. Look after the store.',
          unit: units.Short,
          expr: sum(gauge('bugtorrent_tracker_store_away')),
          limits: { yellow: 1, red: 1 },
        }),
        stat({
          title: 'Peers logged in',
          description: 'Sessions that are open.',
          unit: units.Short,
          expr: sum(gauge('bugtorrent_tracker_sessions')),
        }),
        stat({
          title: 'Requests',
          description: 'Requests that are answered or refused, a second.',
          unit: units.RequestsPerSecond,
          expr: REQUESTS,
        }),
        stat({
          title: 'Refused',
          description: 'Share of the requests that is refused; the reasons are below.',
          unit: units.PercentUnit,
          expr: ratio(sum(rate('bugtorrent_tracker_refused_total')), REQUESTS),
          limits: { yellow: 0.2, red: 0.5 },
        }),
        stat({
          title: 'Answer time, 99 %',
          description: 'Time that 99 of 100 requests take at most, from being read to their answer.',
          unit: units.Seconds,
          expr: quantile(0.99, 'bugtorrent_tracker_request_seconds'),
          limits: { yellow: 0.1, red: 1 },
        }),
        stat({
          title: 'Event loop',
          description:
            'Share of its time that the busiest process works: near 100 % it is short of processor, and more --processes help unless Engine says that accept is what is busy.',
          unit: units.PercentUnit,
          expr: busiestLoop(),
          limits: { yellow: 0.7, red: 0.9 },
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph({
          title: 'By command and result',
          description: 'The command that was asked, and the command of the answer, or refused.',
          width: 12,
          isCrowded: true,
          unit: units.RequestsPerSecond,
          queries: [
            {
              expr: rateOfSome('bugtorrent_tracker_requests_total', ['command', 'result']),
              legend: '{{command}} {{result}}',
            },
          ],
        }),
        graph({
          title: 'Answer time, 99 %',
          description:
            'Time that 99 of 100 requests of a command take at most, from being read to their answer.',
          width: 12,
          isCrowded: true,
          unit: units.Seconds,
          queries: [
            { expr: quantile(0.99, 'bugtorrent_tracker_request_seconds', 'command'), legend: '{{command}}' },
          ],
        }),
        graph({
          title: 'Refused',
          description: 'Requests that were refused, by reason.',
          width: 12,
          isCrowded: true,
          unit: units.RequestsPerSecond,
          queries: [
            { expr: rateOfSome('bugtorrent_tracker_refused_total', ['reason']), legend: '{{reason}}' },
          ],
        }),
        graph({
          title: 'Connections',
          description: 'Accepted connections that are open, and new ones a second.',
          width: 6,
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_connections', TRACKER_SIDE)), legend: 'open' },
            {
              expr: sum(rate('bugtorrent_connections_accepted_total', TRACKER_SIDE)),
              legend: 'new a second',
            },
          ],
        }),
        graph({
          title: 'Connections closed by us',
          description: 'Connections that the tracker ended before the peer did, by reason.',
          width: 6,
          unit: units.EventsPerSecond,
          queries: [
            {
              expr: rateOfSome('bugtorrent_connections_refused_total', ['reason'], TRACKER_SIDE),
              legend: '{{reason}}',
            },
          ],
        }),
      ],
    },
    {
      title: 'What it knows',
      panels: [
        graph({
          title: 'Sessions and files',
          description: 'Peers that are logged in, and files with at least one owner.',
          width: 6,
          unit: units.Short,
          queries: [
            { expr: sum(gauge('bugtorrent_tracker_sessions')), legend: 'sessions' },
            { expr: sum(gauge('bugtorrent_tracker_files')), legend: 'files' },
            { expr: sum(gauge('bugtorrent_tracker_ownerships')), legend: 'ownerships' },
          ],
        }),
        graph({
          title: 'Bytes of answers',
          description: 'Bytes that trackers send; lists of owners are most of it.',
          width: 6,
          unit: units.BytesPerSecondSI,
          queries: [
            { expr: sum(rate('bugtorrent_tracker_answer_bytes_total'), 'instance'), legend: '{{instance}}' },
          ],
        }),
        graph({
          title: 'Memory',
          description: 'Of the process, and the part of it that lists parts of incomplete owners.',
          width: 6,
          unit: units.BytesIEC,
          queries: [
            {
              expr: sum(gauge('bugtorrent_process_resident_memory_bytes'), 'instance'),
              legend: '{{instance}}',
            },
            {
              expr: sum(gauge('bugtorrent_tracker_part_list_bytes'), 'instance'),
              legend: '{{instance}} part lists',
            },
          ],
        }),
        graph({
          title: 'Dead peers',
          description:
            'Silent peers that were probed in the last hour, by result, and sessions that were ended as nobody answered.',
          width: 6,
          unit: units.Short,
          queries: [
            {
              expr: sum(increase('bugtorrent_tracker_probes_total', '1h'), 'result'),
              legend: 'probe {{result}}',
            },
            { expr: sum(increase('bugtorrent_tracker_evictions_total', '1h')), legend: 'sessions ended' },
          ],
        }),
      ],
    },
  ],
});
