/** A table whose every text is full of signs that mean something to a format. */
import type { Table } from '../../src/report/table/model.js';

export const hostile: Table = {
  title: 'a_b & 50% #1 {x} ~^\\ $y',
  header: ['na|me', 'n'],
  align: ['left', 'right'],
  sections: [
    {
      title: 'one, "two"',
      rows: [
        [
          { text: '*[x]<b>\n` |', marks: ['a'] },
          { text: '1.00', value: 1.0000001 },
        ],
      ],
    },
  ],
  notes: [{ mark: 'a', text: 'said ± λ 漢' }],
};
