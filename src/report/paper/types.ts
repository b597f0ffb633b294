/**
 * A published table: its layout, its numbers, and which of our pipelines stands at each place.
 *
 * Each table is data, so that one piece of code compares them all.
 */

export type ParamValue = string | number | boolean;

/** The steps of a pipeline and the parameters that tell its row from others; budget and ratio of eviction are the level. */
export type Pattern = readonly {
  readonly method: string;
  readonly params: Readonly<Record<string, ParamValue>>;
}[];

/** One number of the published table. */
export interface PaperCell {
  /** Undefined where the number was not published. */
  readonly published: number | undefined;
  /** Name of a task without its family; undefined: the average over all tasks. */
  readonly task: string | undefined;
  /** Tokens kept, or fraction of tokens evicted, as `levels` lists them; undefined where nothing is evicted. */
  readonly level: number | undefined;
  readonly pattern: Pattern;
  /** What was published of the uncompressed cache in the same place. */
  readonly publishedFull: number;
}

export interface PaperRow {
  readonly title: string;
  /** Further columns that name the row. */
  readonly keys: readonly string[];
  readonly cells: readonly PaperCell[];
  /** Footnotes, by the marks of the table. */
  readonly marks: readonly string[];
}

export interface PaperTable {
  readonly title: string;
  /** Name of the model as this program's catalogue has it. */
  readonly model: string;
  /** Families of tasks that are this benchmark. */
  readonly families: readonly string[];
  /** Names of tasks that make up the average, and how many samples each has. */
  readonly samples: Readonly<Record<string, number>>;
  readonly levels: { readonly param: 'budget' | 'ratio'; readonly values: readonly number[] };
  /** Titles of the columns that name a row; the first is the method. */
  readonly keyColumns: readonly string[];
  /** Titles of the columns of numbers. */
  readonly columns: readonly string[];
  readonly sections: readonly { readonly title: string; readonly rows: readonly PaperRow[] }[];
  /** Points of an average that repeated runs differ by. */
  readonly noise: { readonly points: number; readonly source: string };
  readonly footnotes: readonly { readonly mark: string; readonly text: string }[];
  /** What else the paper set, by `method.param`; what differs from it is said below the table. */
  readonly settings: Readonly<Record<string, ParamValue>>;
}
