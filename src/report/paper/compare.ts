/**
 * A published table with our numbers in it.
 *
 * Ours, published and the difference where the numbers are meant to be the same; ours, published and both losses where
 * model, tasks or budgets are others.
 */
import { mean } from '../../results/statistics.js';
import { type Block, countOf, FULL, keptShare, type PipelineRow, scoresOf } from '../blocks.js';
import { stratifiedMean } from '../statistics/strata.js';
import { type Fault, footnotesOf, rowFaults } from '../faults.js';
import { GAP, number, signed, type Table, type TableCell, type TableSection, words } from '../table/model.js';
import { type Match, matchTable } from './match.js';
import type { PaperCell, PaperRow, PaperTable } from './types.js';

/** The table for one block of results, named by model, context and way to ask. */
export function compareTable(table: PaperTable, block: Block): Table {
  const match = matchTable(table, block);
  const view = new View(table, block, match);
  const columns = view.columns;
  return {
    title: `${table.title} · ours: ${block.model}, context ${block.context}, question ${block.question}`,
    header: [...table.keyColumns, '', ...columns.map(({ title }) => title)],
    align: [...table.keyColumns.map(() => 'left' as const), 'left', ...columns.map(() => 'right' as const)],
    sections: [
      ...table.sections.map(({ title, rows }) => ({
        title: view.sectionTitle(title),
        rows: rows.flatMap((row) => view.rows(row)),
      })),
      ...view.others(),
    ],
    notes: [
      ...table.footnotes,
      ...view.faultNotes(),
      ...view.keptNotes(),
      ...match.remarks.map((text) => ({ text })),
      {
        text: match.wholeReplication
          ? `Avg: tasks weigh the same. "within" and "outside" are said of averages: within ±${table.noise.points} points of the published one (${table.noise.source}).`
          : `Avg: tasks weigh the same. Whether a difference lies within the published noise (±${table.noise.points} points of an average) is not said, since this is no full replication.`,
      },
      ...(view.hasGaps
        ? [
            {
              text: 'Where samples are missing there is no number: done/asked samples, or the tasks that are complete.',
            },
          ]
        : []),
    ],
  };
}

/** The row whose footnote is about what it keeps. */
const FALLBACK_ROW = 'PyramidKV';

interface Column {
  readonly title: string;
  /** What stands there in a published row. */
  readonly cellOf: (row: PaperRow) => PaperCell | undefined;
  /** Our tasks behind the number. */
  readonly tasks: readonly string[];
  /** Where a row says nothing (pipelines that are not in the table): only where all columns are of one pipeline. */
  readonly average: boolean;
}

class View {
  readonly columns: readonly Column[];
  /** One pipeline fills a row; else its columns are budgets. */
  private readonly rowIsPipeline: boolean;
  private readonly full: PipelineRow | undefined;
  hasGaps = false;

  constructor(
    private readonly table: PaperTable,
    block: Block,
    private readonly match: Match,
  ) {
    this.full = block.rows.find(({ pipeline }) => pipeline === FULL);
    const [first] = table.sections[0]!.rows;
    this.rowIsPipeline = first!.cells.some(({ task }) => task !== undefined);
    this.columns = this.makeColumns(first!);
  }

  sectionTitle(title: string): string {
    const level = Number(/\d+/.exec(title)?.[0]);
    const own = this.match.standIns.get(level);
    return own === undefined ? title : `${title} (here ${own})`;
  }

  rows(row: PaperRow): TableCell[][] {
    const name = [words(row.title, row.marks), ...row.keys.map((key) => words(key))];
    const blank = name.map(() => words(''));
    const ours = this.columns.map((column) => this.ours(column.cellOf(row), column));
    const published = this.columns.map((column) => column.cellOf(row)?.published);
    const lines = (entries: readonly [string, readonly TableCell[]][]): TableCell[][] =>
      entries.map(([line, cells], index) => [...(index === 0 ? name : blank), words(line), ...cells]);
    if (row.cells.every((cell) => this.match.rowOf(cell) === undefined)) {
      return lines([['published, not run', published.map((value) => number(value))]]);
    }
    if (this.match.replication) {
      return lines([
        ['ours', ours],
        ['published', published.map((value) => number(value))],
        [
          'difference',
          this.columns.map((column, c) => this.difference(ours[c]!.value, published[c], column)),
        ],
      ]);
    }
    return lines([
      ['ours', ours],
      ['published', published.map((value) => number(value))],
      ['ours, % from full', this.columns.map((column, c) => change(ours[c]!.value, this.fullScore(column)))],
      [
        'published, % from full',
        this.columns.map((column) => {
          const cell = column.cellOf(row);
          return change(cell?.published, cell?.publishedFull);
        }),
      ],
    ]);
  }

  /** What our PyramidKV really kept, since a released budget does not say. */
  keptNotes(): { readonly text: string }[] {
    const rows = this.table.sections.flatMap((section) => section.rows);
    return rows.flatMap(({ title, marks, cells }) => {
      const [cell] = cells;
      const row =
        cell === undefined || title !== FALLBACK_ROW || marks.length === 0
          ? undefined
          : this.match.rowOf(cell);
      const share = row === undefined ? undefined : keptShare(row, this.match.tasks);
      if (share === undefined) return [];
      return [
        { text: `${title} at ${cell!.level!}: ours kept ${(100 * share).toFixed(1)} % of the tokens.` },
      ];
    });
  }

  /** Faults of pipelines without a place, beside those of the published rows. */
  faultNotes(): Fault[] {
    const known = new Set(this.table.footnotes.map(({ text }) => text));
    return this.others().length === 0
      ? []
      : footnotesOf(this.match.others.flatMap(rowFaults)).filter(({ text }) => !known.has(text));
  }

  /** Pipelines without a place; nothing where the columns are not of one pipeline. */
  others(): TableSection[] {
    const rows = this.match.others;
    if (rows.length === 0) return [];
    if (!this.rowIsPipeline) return [];
    return [
      {
        title: 'also run, not in the published table',
        rows: rows.map((row) => [
          words(
            row.pipeline,
            rowFaults(row).map(({ mark }) => mark),
          ),
          ...this.table.keyColumns.slice(1).map(() => words('')),
          words('ours'),
          ...this.columns.map((column) => this.scoreCell(row, column)),
        ]),
      },
    ];
  }

  private makeColumns(first: PaperRow): Column[] {
    const { tasks, taskOf } = this.match;
    const whole = taskOf.size === Object.keys(this.table.samples).length;
    const published = this.table.columns.map((title, index): Column => {
      const { task } = first.cells[index]!;
      return {
        title,
        cellOf: (row) => row.cells[index],
        tasks: task === undefined ? tasks : [taskOf.get(task) ?? task],
        average: task === undefined,
      };
    });
    if (!this.rowIsPipeline || whole) return published;
    if (taskOf.size === 0) {
      const own = tasks.map((task): Column => ({
        title: task,
        // The pipeline of the row; nothing was published of this task.
        cellOf: ({ cells }) => ({ ...cells[0]!, task, published: undefined }),
        tasks: [task],
        average: false,
      }));
      return [...own, ...published.filter(({ average }) => average)];
    }
    return published.map((column) =>
      column.average
        ? { ...column, title: `${column.title} of ${taskOf.size}`, cellOf: (row) => averageOf(row, taskOf) }
        : column,
    );
  }

  private ours(cell: PaperCell | undefined, column: Column): TableCell {
    return cell === undefined ? words(GAP) : this.scoreCell(this.match.rowOf(cell), column);
  }

  private scoreCell(row: PipelineRow | undefined, column: Column): TableCell {
    if (row === undefined) return words(GAP);
    const scores = scoresOf(row, column.tasks);
    if (scores !== undefined) return number(stratifiedMean(scores));
    const { done, asked } = countOf(row, column.tasks);
    if (asked === 0) return words(GAP);
    this.hasGaps = true;
    if (column.tasks.length === 1) return words(`${done}/${asked}`);
    const complete = column.tasks.filter((task) => scoresOf(row, [task]) !== undefined).length;
    return words(`${complete}/${column.tasks.length} tasks`);
  }

  private fullScore({ tasks }: Column): number | undefined {
    const scores = this.full === undefined ? undefined : scoresOf(this.full, tasks);
    return scores === undefined ? undefined : stratifiedMean(scores);
  }

  private difference(own: number | undefined, published: number | undefined, { average }: Column): TableCell {
    if (own === undefined || published === undefined) return words(GAP);
    const delta = own - published;
    if (!average || !this.match.wholeReplication) return signed(delta);
    // Published averages have two decimals.
    const within = Math.abs(Math.round(100 * delta)) <= Math.round(100 * this.table.noise.points);
    return signed(delta, 2, within ? 'within' : 'outside');
  }
}

/** Relative change in percent. */
function change(value: number | undefined, full: number | undefined): TableCell {
  return value === undefined || full === undefined || full === 0
    ? words(GAP)
    : signed((100 * (value - full)) / full, 1);
}

/** The average of a published row over some of its tasks. */
function averageOf({ cells }: PaperRow, taskOf: Match['taskOf']): PaperCell | undefined {
  const some = cells.filter(({ task }) => task !== undefined && taskOf.has(task));
  const values = some.flatMap(({ published }) => published ?? []);
  if (values.length < some.length) return undefined;
  return {
    ...some[0]!,
    task: undefined,
    published: mean(values),
    publishedFull: mean(some.map(({ publishedFull }) => publishedFull)),
  };
}
