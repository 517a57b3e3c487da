/** What is read of a dashboard's generated JSON. */

export interface TargetJson {
  readonly expr: string;
  readonly legendFormat: string;
  /** Asked for as it is now, not over time. */
  readonly instant: boolean;
  readonly datasource: { readonly uid: string };
}

export interface PanelJson {
  /** `row`, or a kind of panel. */
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  /** In 24ths of the width, and in rows of 30 pixels. */
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly min?: number;
      readonly max?: number;
      readonly color?: { readonly mode: string; readonly fixedColor?: string };
      readonly thresholds?: {
        readonly steps: readonly { readonly color: string; readonly value: number | null }[];
      };
      readonly custom?: {
        readonly lineWidth: number;
        readonly fillOpacity: number;
        readonly stacking: { readonly mode: string };
      };
    };
  };
  readonly options?: {
    readonly textMode?: string;
    readonly colorMode?: string;
    readonly legend?: { readonly placement: string };
  };
  readonly targets?: readonly TargetJson[];
}

export interface DashboardJson {
  readonly title: string;
  readonly uid: string;
  readonly description: string;
  readonly templating: { readonly list: readonly { readonly name: string; readonly query?: unknown }[] };
  readonly panels: readonly PanelJson[];
}
